// A failed step → the sentence a user reads. The interpreter gave an index and an errno; the program says the rest.
import { errnoName, errnoText } from '../../native/linux/errno.ts';
import { RuntimeError } from '../errors.ts';
import { readRecord, readText, type Image } from '../program/decode.ts';
import { kind } from '../program/layout.ts';
import { printCall } from '../program/print.ts';
import type { StepFailure } from './execute.ts';
import { hintFor } from './hints.ts';

/** The error for a failed step; `position` finds the line of config.json for a pointer. */
export function describeFailure(image: Image, failure: StepFailure, position: (pointer: string) => string | undefined): RuntimeError {
  const view = readRecord(image, failure.record);
  const call = printCall(image, view);
  const errno = errnoName(failure.errno);
  const details = {
    pointer: view.pointer === '' ? undefined : view.pointer,
    call,
    errno,
    hint: hintFor(image, view, failure.errno),
    kernel: failure.kernel,
    position: view.pointer === '' ? undefined : position(view.pointer),
  };
  const command = view.pointer.startsWith('/process/args') ? describeCommand(image, view, errno) : undefined;
  return new RuntimeError(command ?? `${call}: ${errno}${spoken(errno)}`, details);
}

/** The errno in words, where no manager would take the words for something else: ENOENT means a missing command to them. */
function spoken(errno: string): string {
  return errno === 'ENOENT' ? '' : ` (${errnoText(errno)})`;
}

/** Managers tell these apart by the words (docker: 126 or 127): they are runc's. */
function describeCommand(image: Image, view: ReturnType<typeof readRecord>, errno: string): string {
  const path = view.args.find((argument, index) => argument.kind === kind.data && (view.op === 'execve' ? index === 0 : index === 1));
  const tried = path === undefined ? '' : readText(image.bytes, Number(path.value) - image.base);
  const last = view.op === 'expect' ? previousPath(image, view.index) : tried;
  const name = JSON.stringify(commandName(image) || last);
  const prefix = 'unable to start container process: exec: ';
  if (view.op === 'execve') return `${prefix}${name}: ${errnoText(errno)}`; // the file was found: it is the kernel that refuses it
  if (errno === 'ENOENT' && !commandName(image).includes('/')) return `${prefix}${name}: executable file not found in $PATH`;
  if (errno === 'ENOENT') return `${prefix}${name}: stat ${last || commandName(image)}: no such file or directory`;
  if (view.op === 'expect') return `${prefix}${name}: is a directory: permission denied`;
  return `${prefix}${name}: ${errnoText(errno)}`;
}

function previousPath(image: Image, index: number): string {
  for (let i = index - 1; i >= 0; i--) {
    const view = readRecord(image, i);
    if (view.op === 'faccessat2' && view.args[1]?.kind === kind.data) return readText(image.bytes, Number(view.args[1].value) - image.base);
  }
  return '';
}

/** args[0] as config.json has it: the first word of the execve that follows. Empty when there is none: no PATH to find it in. */
function commandName(image: Image): string {
  for (let i = image.recordCount - 1; i >= 0; i--) {
    const view = readRecord(image, i);
    if (view.op !== 'execve' || view.args[1] === undefined) continue;
    const vector = Number(view.args[1].value) - image.base;
    const word = Number(image.bytes.readBigUInt64LE(vector)) - image.base;
    return word > 0 ? readText(image.bytes, word) : '';
  }
  return '';
}
