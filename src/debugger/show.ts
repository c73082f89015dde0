// What a stop shows: the step, and the state of the container side as the kernel has it now.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { paintFor } from '../color.ts';
import { RuntimeError } from '../errors.ts';
import { slotValue, readRecord, slotName, type Image, type RecordView } from '../program/decode.ts';
import { status } from '../program/layout.ts';
import { printRecord } from '../program/print.ts';

/** What a stop is about. `pid` is the process of the container side as the runtime sees it, 0 while there is none. */
export interface Subject {
  readonly image: Image;
  readonly view: RecordView;
  readonly pid: number;
  readonly rootfs: string;
  readonly id: string;
}

/** Namespaces by the word of config.json, with their files in /proc/PID/ns (namespaces(7)). */
export const namespaceFiles: readonly (readonly [type: string, file: string])[] = [
  ['user', 'user'], ['mount', 'mnt'], ['pid', 'pid'], ['network', 'net'], ['ipc', 'ipc'], ['uts', 'uts'], ['cgroup', 'cgroup'], ['time', 'time'],
];

const views: Readonly<Record<string, (subject: Subject) => string>> = { ids, namespaces, mounts, capabilities, descriptors, cgroup, slots };

const short: Readonly<Record<string, string>> = { ns: 'namespaces', fds: 'descriptors', caps: 'capabilities' };

/** What `show` knows. */
export const showings = Object.keys(views);

/** One view of the state, or the short ones when none is named. Throws RuntimeError for a word that is none. */
export function show(subject: Subject, what: string): string {
  const names = what === '' ? ['ids', 'namespaces', 'cgroup', 'capabilities'] : showings.filter((name) => name.startsWith(short[what] ?? what));
  if (names.length === 0) throw new RuntimeError(`nothing to show by the name of ${what}`, { hint: showings.join(', ') });
  if (subject.pid <= 0 && !names.includes('slots')) return '  there is no process of the container yet\n';
  return names.map((name) => `  ${name}\n${indent(views[name]!(subject))}`).join('');
}

const indent = (text: string): string => text.split('\n').filter((line) => line !== '').map((line) => `    ${line}\n`).join('');

/** Said on arrival. */
export function announce(subject: Subject): string {
  const { view, pid, image } = subject;
  const paint = paintFor(2);
  const who = pid > 0 ? `, container side is pid ${pid}` : '';
  return `${paint('bold', `stopped before step ${view.index} of ${image.recordCount}`)} (${view.side} side${who}); help lists the commands\n${stepLines(subject)}`;
}

/** Said when a step failed. */
export function announceFailure(subject: Subject, failure: RuntimeError): string {
  const { kernel, hint } = failure.details;
  const paint = paintFor(2);
  const more = [...(kernel ?? []).map((line) => `     kernel: ${line}\n`), ...(hint === undefined ? [] : [`     try: ${hint}\n`])].join('');
  return `${paint('red', `step ${subject.view.index} failed`)}: ${failure.message}\n${more}${stepLines(subject)}  retry, skip or abort; shell and show as before\n`;
}

function stepLines({ image, view }: Subject): string {
  return `${printRecord(image, view)}\n${view.why === '' ? '' : `     ${paintFor(2)('dim', view.why)}\n`}`;
}

/** The steps around the stop, with what became of those before it. */
export function listing({ image, view }: Subject, around: number): string {
  const lines: string[] = [];
  for (let index = Math.max(0, view.index - around); index <= Math.min(image.recordCount - 1, view.index + around); index++) {
    const one = readRecord(image, index);
    const mark = index === view.index ? '>' : one.status === status.done ? '=' : one.status === status.skipped ? '-' : one.status === status.tolerated ? '~' : one.status === status.failed ? '!' : ' ';
    lines.push(`${mark}${printRecord(image, one)}\n`);
  }
  return lines.join('');
}

const proc = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    return `(${(error as NodeJS.ErrnoException).code})\n`;
  }
};

const statusLines = (pid: number, names: RegExp): string => proc(pid, 'status').split('\n').filter((line) => names.test(line)).join('\n');

function ids({ pid }: Subject): string {
  const map = (file: string): string => `${file} ${proc(pid, file).trim().replace(/\s+/g, ' ') || '(not written yet)'}`;
  return [statusLines(pid, /^(Uid|Gid|Groups):/), map('uid_map'), map('gid_map')].join('\n');
}

function namespaces({ pid }: Subject): string {
  return namespaceFiles.map(([type, file]) => {
    const [theirs, ours] = [pid, 'self'].map((who) => {
      try {
        return readlinkSync(`/proc/${who}/ns/${file}`);
      } catch {
        return '?';
      }
    });
    return `${type.padEnd(8)} ${theirs} ${theirs === ours ? 'the host’s' : 'its own'}`;
  }).join('\n');
}

/** proc_pid_mountinfo(5), in the order of mounting; those of the host stay out while they are still there. */
function mounts({ pid, rootfs }: Subject): string {
  const rows = proc(pid, 'mountinfo').trim().split('\n').map((line) => line.split(' ')).filter((fields) => fields.length > 6);
  const isHostView = rows.some((fields) => fields[4] === rootfs) || rows.some((fields) => (fields[4] ?? '').startsWith(`${rootfs}/`));
  const chosen = isHostView ? rows.filter((fields) => `${fields[4]}/`.startsWith(`${rootfs}/`)) : rows;
  const lines = chosen.map((fields) => {
    const dash = fields.indexOf('-');
    return `${(fields[4] ?? '').padEnd(28)} ${(fields[dash + 1] ?? '').padEnd(9)} ${fields[5]} ${fields.slice(6, dash).join(' ')}`.trimEnd();
  });
  return lines.length === rows.length ? lines.join('\n') : `${lines.join('\n')}\n(and ${rows.length - lines.length} of the host, until pivot_root)`;
}

function capabilities({ pid }: Subject): string {
  return statusLines(pid, /^(Cap|NoNewPrivs|Seccomp:)/);
}

function descriptors({ pid }: Subject): string {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => `${fd.padStart(3)} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`).join('\n');
  } catch (error) {
    return `(${(error as NodeJS.ErrnoException).code})`;
  }
}

function cgroup({ pid }: Subject): string {
  return proc(pid, 'cgroup').split('\n').find((line) => line.startsWith('0::')) ?? '(none)';
}

/** Values born at run time, as each side knows them. */
function slots({ image }: Subject): string {
  const lines = Array.from({ length: image.slotCount }, (_, number) => number).flatMap((number) => {
    const [runtime, container] = [slotValue(image, number, 'runtime'), slotValue(image, number, 'container')];
    return runtime === undefined && container === undefined ? [] : [`$${slotName(image, number).padEnd(14)} runtime ${runtime ?? '-'}  container ${container ?? '-'}`];
  });
  return lines.join('\n') || '(none set)';
}
