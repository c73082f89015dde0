// What the prepared programs have in common: the container is opened and believed, its process is looked for, its cgroup is reached.
import {
  AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, EPOLL_CTL_ADD, LOCK_EX, LOCK_NB, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_WRONLY, STATX_BASIC_STATS, statx,
} from '../../native/linux/constants.ts';
import { part, slot, type Arg, type Out, type Step, type StepOptions } from '../program/step.ts';
import { fact, facts, GATE, MAGIC } from './facts.ts';

/** All of them are made by the runtime's own process: the launcher. No config.json asks for them. */
export const step = part('runtime', '');

export const ALL_BITS = 0xffff_ffff_ffff_ffffn;
const ALL_32 = 0xffff_ffff;
const EPERM = 1;
const ESRCH = 3;
const ENOEXEC = 8;
const ESTALE = 116;

const stat = (out: string): Out => ({ out, size: statx.bytes });

/** Fails with errno unless the caller owns what `statx` looked at: what someone else wrote could name any process and any cgroup. */
const isOurs = (out: string): Step => step('expect', [{ ...stat(out), offset: statx.uid }, 4, ALL_32, slot('euid'), EPERM], 'what someone else wrote is not trusted');

const look = (fd: string, path: Arg, out: string, flags: number): Step => step('statx', [slot(fd), path, flags, STATX_BASIC_STATS, stat(out)], '');

/** The state directory, $directory, and the facts in it, which are those of its state.json. */
export function openContainer(): readonly Step[] {
  return [
    step('openat', [AT_FDCWD, slot('path'), O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'the state root', { result: 'root' }),
    step('openat', [slot('root'), slot('id'), O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0], 'the state directory', { result: 'directory' }),
    step('openat', [slot('directory'), 'facts', O_CLOEXEC | O_NOFOLLOW, 0], 'there once the container is created', { result: 'facts' }),
    step('geteuid', [], '', { result: 'euid' }),
    look('directory', '', 'directory', AT_EMPTY_PATH),
    isOurs('directory'),
    look('facts', '', 'file', AT_EMPTY_PATH),
    isOurs('file'),
    look('directory', 'state.json', 'state', AT_SYMLINK_NOFOLLOW),
    step('read', [slot('facts'), facts(), fact.bytes], ''),
    step('same', [facts(fact.magic), { bytes: Buffer.from(MAGIC) }, MAGIC.length, ENOEXEC], 'of this layout'),
    step('same', [facts(fact.stateInode), { ...stat('state'), offset: statx.inodeAndSize }, statx.inodeAndSizeBytes, ESTALE], 'and of this state.json, which nobody has changed'),
    step('same', [facts(fact.stateChanged), { ...stat('state'), offset: statx.changed }, statx.changedBytes, ESTALE], ''),
  ];
}

/** One operation at a time: flock(2), released when the launcher ends. The engine waits for the lock; this does not. */
export function lock(): readonly Step[] {
  return [
    step('flock', [slot('directory'), LOCK_EX | LOCK_NB], 'one operation at a time'),
    look('root', slot('id'), 'named', AT_SYMLINK_NOFOLLOW),
    step('same', [{ ...stat('named'), offset: statx.inodeAndSize }, { ...stat('directory'), offset: statx.inodeAndSize }, statx.inodeBytes, ESTALE], 'not deleted before it was locked, with another of its id since'),
  ];
}

/** $alive is set while the process that was created is. */
export function lookForProcess(): readonly Step[] {
  const memory: Out = { out: 'proc', size: 1024 };
  return [
    step('openat', [AT_FDCWD, facts(fact.stat), O_CLOEXEC, 0], '', { result: 'stat', tolerate: ['ENOENT'] }),
    step('read', [slot('stat'), memory, memory.size - 1], '', { result: 'length', tolerate: ['ESRCH'] }),
    step('start_time', [memory, slot('length')], 'none for a process that has ended', { result: 'started', tolerate: ['ESRCH'] }),
    step('expect', [facts(fact.startTime), 8, ALL_BITS, slot('started'), ESRCH], 'not another one with the same pid', { result: 'alive', tolerate: ['ESRCH'] }),
  ];
}

/** $pidfd, before the process is looked for: what is found then is what the descriptor means. */
export function openPidfd(): readonly Step[] {
  return [
    step('load', [facts(fact.pid), 4, ALL_32], '', { result: 'pid' }),
    step('pidfd_open', [slot('pid'), 0], 'a pid that is used again is never hit', { result: 'pidfd', tolerate: ['ESRCH'] }),
  ];
}

/** $gate is set while init waits for `start`. */
export function lookAtGate(): readonly Step[] {
  return [step('openat', [slot('directory'), GATE, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0], 'there until start', { needs: 'alive', result: 'gate', tolerate: ['ENOENT'] })];
}

/** $cgroup: its directory; unset for a container without one. */
export function openCgroup(options: StepOptions = {}): Step {
  return step('openat', [AT_FDCWD, facts(fact.cgroup), O_PATH | O_DIRECTORY | O_CLOEXEC, 0], '', { ...options, result: 'cgroup', tolerate: ['ENOENT'] });
}

/** $cgroup as above; $frozen is set while the process is, and the freezer of its cgroup is asked to hold it. */
export function lookAtFreezer(): readonly Step[] {
  const memory: Out = { out: 'freeze', size: 8 };
  return [
    openCgroup(),
    step('openat', [slot('cgroup'), 'cgroup.freeze', O_CLOEXEC, 0], '', { needs: 'alive', result: 'freeze', tolerate: ['ENOENT'] }),
    step('read', [slot('freeze'), memory, 8], '', { result: 'asked', tolerate: ['ENODEV'] }),
    step('expect', [memory, 1, 0xff, '1'.charCodeAt(0), ESRCH], '', { needs: 'asked', result: 'frozen', tolerate: ['ESRCH'] }),
  ];
}

/** $name is set when the byte among the facts is 1. */
export function ask(name: string, offset: number): Step {
  return step('expect', [facts(offset), 1, 0xff, 1, ESRCH], '', { result: name, tolerate: ['ESRCH'] });
}

/** Ends the program here, for the engine to say why or to do what takes more thought. */
export function giveUp(errno: number, why: string, options: StepOptions): Step {
  return step('give_up', [errno], why, options);
}

/** Sets $name when the options say so. */
export function note(name: string, options: StepOptions): Step {
  return step('load', [facts(), 0, 0], '', { ...options, result: name });
}

/** Writes one value to a file of the cgroup. */
export function writeToCgroup(file: string, value: string, why: string, options: StepOptions = {}): readonly Step[] {
  return [
    step('openat', [slot('cgroup'), file, O_WRONLY | O_CLOEXEC, 0], '', { ...options, result: file, tolerate: ['ENOENT'] }),
    step('write', [slot(file), value, value.length], why, { ...options, tolerate: ['ENODEV'] }),
  ];
}

/** An epoll descriptor, $poll, of one other (epoll(7)): unlike poll(2) it takes descriptors as arguments. */
export function watch(name: string, events: number, options: StepOptions): readonly Step[] {
  const event = Buffer.alloc(16);
  event.writeUInt32LE(events, 0);
  return [
    step('epoll_create1', [O_CLOEXEC], '', { ...options, result: 'poll' }),
    step('epoll_ctl', [slot('poll'), EPOLL_CTL_ADD, slot(name), { bytes: event }], '', options),
  ];
}

export const event: Out = { out: 'event', size: 16 };

/** Waits for it, this many milliseconds at most. */
export function wait(milliseconds: number, why: string, options: StepOptions): Step {
  return step('epoll_pwait', [slot('poll'), event, 1, milliseconds, null, 0], why, options);
}
