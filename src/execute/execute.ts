// Runs a program: runtime-side records here, container-side records in the interpreter, the turn changing where the program says.
import { closeSync } from 'node:fs';
import { SOCK_CLOEXEC } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, receiveMessage, sendMessage, SOCK_SEQPACKET, socketpair, waitStatus } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { opOf, readRecord, recordOffset, slotName, type Image, type RecordView } from '../program/decode.ts';
import { answer, header, kind, record, status } from '../program/layout.ts';
import { spawnInterpreter } from './interpreter.ts';
import type { MappedProgram } from './program-file.ts';
import { getSlot, runRecord, runtimeRecord, setSlot, type Handler } from './records.ts';

/** A step failed. `record` and `errno` are all that came back; failure.ts says the rest. */
export class StepFailure extends Error {
  readonly record: number;
  readonly errno: number;
  /** What the kernel's log of a file system context said (fsopen(2)). */
  readonly kernel: readonly string[];

  constructor(index: number, errno: number, kernel: readonly string[] = []) {
    super(`record ${index}: ${errnoName(errno)}`);
    this.record = index;
    this.errno = errno;
    this.kernel = kernel;
  }
}

/** A debugger. Whatever it throws ends the execution as a failed step does. */
export interface Watch {
  /** Before each runtime-side step, and before a container-side one whose record says pause. */
  readonly before: (view: RecordView, execution: Execution) => void;
  /** A step failed: is it to fail, to be made again, or to count as done? */
  readonly failed: (view: RecordView, failure: StepFailure | RuntimeError, execution: Execution) => keyof typeof answer;
}

export interface ExecuteOptions {
  readonly handlers: Readonly<Record<string, Handler>>;
  /** The first descriptor number after stdio and the preserved ones: where the interpreter's own begin. */
  readonly firstDescriptor: number;
  /** Names of the slots the interpreter inherits, in the order of their numbers (Program.inherited). */
  readonly inherited: readonly string[];
  /** Descriptors of the program from 0 on, when they are not the runtime's own. */
  readonly stdio?: readonly number[];
  readonly watch?: Watch | undefined;
}

/** A program under way: what must be ended or closed by whoever started it. */
export interface Execution {
  readonly image: Image;
  /** The runtime's end of the hand-over socket; -1 before the interpreter runs. */
  channel: number;
  /** The interpreter before clone3, until it has been waited for. */
  interpreter: number;
}

/** A program ready to run. */
export function beginExecution(program: MappedProgram): Execution {
  return { image: program.image, channel: -1, interpreter: 0 };
}

/**
 * Runs the program until its container side gives no more turns: it reached `publish` and waits, or it ended by execve.
 * Returns the pid of init (0 for a program without clone3). Throws StepFailure, or RuntimeError when a side vanished.
 */
export function executeProgram(execution: Execution, program: MappedProgram, options: ExecuteOptions): number {
  const { image } = execution;
  const entry = image.bytes.readUInt32LE(header.entry);
  runSide(execution, 0, options);
  if (entry >= image.recordCount) return 0;
  startInterpreter(execution, program, options);
  return followChannel(execution, execution.channel, options);
}

/** What came over a hand-over socket. */
export type Message = Exclude<ReturnType<typeof receiveMessage>, number>;

type ServeOptions = Pick<ExecuteOptions, 'handlers' | 'watch'>;

/** Serves hand-overs until the other side is done: the last runtime-side record has run, or end of file. */
export function followChannel(execution: Execution, channel: number, options: ServeOptions, first?: Message): number {
  const { image } = execution;
  for (let next = first; ; next = undefined) {
    const message = next ?? receiveMessage(channel);
    if (typeof message === 'number') throw new RuntimeError(`recvmsg on the hand-over socket: ${errnoName(-message)}`);
    for (const fd of message.data.length < 8 ? message.fds : []) closeSync(fd);
    if (message.data.length < 8) return endOfChannel(execution);
    const index = message.data.readUInt32LE(0);
    const errno = message.data.readUInt32LE(4);
    if (execution.interpreter !== 0 && isBornBefore(image, index)) reap(execution);
    if (errno !== 0 || opOf(image, index) !== 'hand_over') {
      reply(channel, answerReport(execution, index, errno, message, options), []);
      continue;
    }
    takeDescriptors(image, index, message.fds);
    let isLast: boolean;
    try {
      isLast = runSide(execution, index + 1, options);
    } finally {
      // Each turn brings what it uses: a handler that keeps one has a duplicate of its own.
      for (const fd of message.fds) closeSync(fd);
    }
    reply(channel, 0, descriptorsToGive(image, index));
    if (isLast) return getSlot(image, 'init') ?? 0;
  }
}

/** Whether the process that reports is init already: its clone3 lies before the record it is at. */
function isBornBefore(image: Image, index: number): boolean {
  for (let i = image.bytes.readUInt32LE(header.entry); i < index; i++) if (opOf(image, i) === 'clone3') return true;
  return false;
}

/** A failure, or a pause before a step: the debugger's answer. Without one a failure is thrown, and a pause is none. */
function answerReport(execution: Execution, index: number, errno: number, message: Message, { watch }: ServeOptions): number {
  const view = readRecord(execution.image, index);
  if (errno === 0) {
    watch?.before(view, execution);
    return 0;
  }
  const failure = new StepFailure(index, errno, message.fds.flatMap(readKernelLog));
  const decision = watch?.failed(view, failure, execution) ?? 'fail';
  if (decision === 'fail') throw failure;
  return answer[decision];
}

function reply(channel: number, word: number, fds: readonly number[]): void {
  const data = Buffer.alloc(8);
  data.writeUInt32LE(word, 0);
  const sent = sendMessage(channel, data, fds);
  if (sent < 0) throw new RuntimeError(`sendmsg on the hand-over socket: ${errnoName(-sent)}`);
}

/** One message a read, each with its level in front: `e tmpfs: Bad value for 'size'` (fsopen(2)). Closes the descriptor. */
function readKernelLog(fd: number): string[] {
  const lines: string[] = [];
  const bytes = Buffer.alloc(1024);
  for (let length = call('read', fd, bytes, bytes.length); length > 0 && lines.length < 16; length = call('read', fd, bytes, bytes.length)) {
    lines.push(bytes.toString('utf8', 0, length).trimEnd().replace(/^[ewi] /, ''));
  }
  closeSync(fd);
  return lines;
}

/** End of file: execve happened, or the process is gone. The position says which. */
function endOfChannel(execution: Execution): number {
  const { image } = execution;
  reap(execution);
  const position = image.bytes.readUInt32LE(header.position);
  const view = position < image.recordCount ? readRecord(image, position) : undefined;
  if (view === undefined || view.op !== 'execve') {
    throw new RuntimeError('the container side was killed during set-up', {
      call: view?.op,
      hint: 'a memory limit that is too small for set-up, or someone sent SIGKILL',
    });
  }
  return getSlot(image, 'init') ?? 0;
}

/** Runs the runtime-side records from `index` on. True when `publish` was among them: nothing more is waited for. */
function runSide(execution: Execution, index: number, options: ServeOptions): boolean {
  let isPublished = false;
  for (let at = index, view = runtimeRecord(execution.image, at); view !== undefined; view = runtimeRecord(execution.image, ++at)) {
    if (options.watch === undefined) runOrThrow(execution.image, view, options);
    else runWatched(execution, view, options, options.watch);
    if (view.op === 'publish') isPublished = true;
  }
  return isPublished;
}

function runOrThrow(image: Image, view: RecordView, { handlers }: ServeOptions): void {
  const outcome = runRecord(image, view, handlers);
  if (outcome.kind === 'failed') throw new StepFailure(view.index, outcome.errno);
}

function runWatched(execution: Execution, view: RecordView, options: ServeOptions, watch: Watch): void {
  const { image } = execution;
  watch.before(view, execution);
  for (;;) {
    try {
      return runOrThrow(image, view, options);
    } catch (error) {
      if (!(error instanceof StepFailure || error instanceof RuntimeError)) throw error;
      const decision = watch.failed(view, error, execution);
      if (decision === 'fail') throw error;
      if (decision === 'again') continue;
      image.bytes[recordOffset(image, view.index) + record.status] = status.tolerated;
      return;
    }
  }
}

function startInterpreter(execution: Execution, program: MappedProgram, options: ExecuteOptions): void {
  const pair = socketpair(SOCK_SEQPACKET | SOCK_CLOEXEC);
  if (typeof pair === 'number') throw new RuntimeError(`socketpair: ${errnoName(-pair)}`);
  const [ours, theirs] = pair;
  execution.channel = ours;
  const { image } = execution;
  image.bytes.writeInt32LE(options.firstDescriptor + 1, header.channel);
  const inherited = options.inherited.map((name) => {
    const fd = getSlot(image, name);
    if (fd === undefined) throw new Error(`$${name} is not set before the interpreter starts`);
    return fd;
  });
  try {
    execution.interpreter = spawnInterpreter({
      first: options.firstDescriptor,
      ours: [program.fd, theirs, ...inherited],
      ...(options.stdio === undefined ? {} : { stdio: options.stdio }),
    });
  } finally {
    closeSync(theirs);
  }
}

/**
 * The interpreter's first process ends right after clone3, and writes $init before: only once it is gone may $init be
 * read. A new init can be faster than its parent.
 */
function reap(execution: Execution): void {
  if (execution.interpreter === 0) return;
  waitStatus(execution.interpreter);
  execution.interpreter = 0;
}

function takeDescriptors(image: Image, index: number, fds: readonly number[]): void {
  const names = travellers(image, index, 0);
  names.forEach((name, i) => {
    const fd = fds[i];
    if (fd !== undefined) setSlot(image, name, fd, 'runtime');
  });
}

function descriptorsToGive(image: Image, index: number): number[] {
  const fds: number[] = [];
  for (const name of travellers(image, index, 3)) {
    const fd = getSlot(image, name);
    if (fd !== undefined) fds.push(fd);
  }
  return fds;
}

function travellers(image: Image, index: number, from: number): string[] {
  const at = recordOffset(image, index);
  const names: string[] = [];
  for (let i = from; i < from + 3; i++) {
    if (image.bytes[at + record.kinds + i] !== kind.slot) continue;
    names.push(slotName(image, Number(image.bytes.readBigUInt64LE(at + record.args + 8 * i))));
  }
  return names;
}

/** Ends what an execution left running: init, by pid, a child of this process. Nobody waits: without the channel both sides end. */
export function abandon(execution: Execution): void {
  if (execution.channel >= 0) closeSync(execution.channel);
  execution.channel = -1;
  reap(execution);
  const init = getSlot(execution.image, 'init') ?? 0;
  if (init <= 0) return;
  call('kill', init, 9);
  waitStatus(init);
}
