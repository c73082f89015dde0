// linux.seccomp: loads the compiled filter (seccomp(2)); compiling it is src/bpf's work.
import { SECCOMP_SET_MODE_FILTER } from '../../native/linux/constants.ts';
import { part, slot, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

/** Without no_new_privs a filter needs CAP_SYS_ADMIN: it loads before the rights are given away. */
export function seccompPrivileged(context: Context): readonly Step[] {
  return context.config.process?.noNewPrivileges === true ? [] : load(context);
}

export function seccompUnprivileged(context: Context): readonly Step[] {
  return context.config.process?.noNewPrivileges === true ? load(context) : [];
}

/** create: a filter that notifies loads while the runtime is there to send its listener on. */
export function seccompWithListener(context: Context): readonly Step[] {
  return context.request.filter?.hasListener === true ? seccompUnprivileged(context) : [];
}

/** create: any other loads after the gate, so that a profile need not allow what init does there. */
export function seccompLast(context: Context): readonly Step[] {
  return context.request.filter?.hasListener === true ? [] : seccompUnprivileged(context);
}

function load({ config, request }: Context): readonly Step[] {
  const { filter } = request;
  if (filter === undefined) return [];
  const step = part('container', '/linux/seccomp');
  const program = { struct: 'sock_fprog', members: { len: filter.program.length / 8, filter: { bytes: filter.program } } } as const;
  const call = step('seccomp', [SECCOMP_SET_MODE_FILTER, filter.flags, program], 'inherited by everything the container starts');
  const path = config.linux?.seccomp?.listenerPath;
  if (!filter.hasListener || path === undefined) return [call];
  return [
    { ...call, result: 'listener' },
    part('runtime', '/linux/seccomp/listenerPath')('send_listener', [path, slot('listener'), config.linux?.seccomp?.listenerMetadata ?? ''], 'config-linux.md#containerprocessstate'),
    step('close', [slot('listener')], 'the container must not answer itself'),
  ];
}
