// Which descriptors the container side starts with, at which numbers; everything else is closed before it does anything.
import { CLOSE_RANGE_CLOEXEC, PR_SET_NAME } from '../../native/linux/constants.ts';
import { part, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

/** The first number after stdio and what the process keeps: the program file, then the hand-over socket, then slots. */
export function firstDescriptor(context: Context): number {
  return 3 + context.request.preservedFds;
}

/** Slots the interpreter inherits. The order is the order of their numbers. */
export function inheritedDescriptors(context: Context): Readonly<Record<string, number>> {
  const first = firstDescriptor(context) + 2;
  return context.host.cgroup === undefined || context.host.cgroup.unit !== undefined ? { gate: first } : { gate: first, cgroup: first + 1 };
}

/** Closes whatever the caller leaked, and marks our own close-on-exec (CVE-2024-21626). */
export function initialDescriptors(context: Context, inherited = inheritedDescriptors(context)): readonly Step[] {
  const step = part('container', '');
  const first = firstDescriptor(context);
  const beyond = first + 2 + Object.keys(inherited).length;
  return [
    ...ownDescriptors('', first, beyond, 'nothing the caller leaked reaches the container'),
    step('umask', [0], 'modes of config.json are exact'),
    step('prctl', [PR_SET_NAME, 'runt:init', 0, 0, 0], 'ps shows what is still being made'),
  ];
}

/** Closes all from `beyond` on, and marks our own from `first` on close-on-exec. */
export function ownDescriptors(at: string, first: number, beyond: number, why: string): readonly Step[] {
  const step = part('container', at);
  return [step('close_range', [beyond, 0xffff_ffff, 0], why), step('close_range', [first, beyond - 1, CLOSE_RANGE_CLOEXEC], 'ours close with execve')];
}

/** Closes what is still open of the set-up: the rootfs, masks, directories of mounts. A waiting init holds only what it needs. */
export function closeSetUp(context: Context): readonly Step[] {
  const first = firstDescriptor(context) + 2 + Object.keys(inheritedDescriptors(context)).length;
  return [part('container', '')('close_range', [first, 0xffff_ffff, 0], 'a small RLIMIT_NOFILE leaves no room for them')];
}
