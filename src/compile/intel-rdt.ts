// linux.intelRdt (config-linux.md#intelrdt): a class of service in the resctrl file system (kernel doc x86/resctrl), and the process in it.
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../native/linux/constants.ts';
import { RuntimeError } from '../errors.ts';
import { part, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

/** Where the runtime-spec lets the runtime remove what it made: a class that config.json names stays. */
export const removedWithContainer: readonly string[] = ['/linux/intelRdt', '/linux/intelRdt/enableMonitoring'];

/** The container's class of service: named by closID (`/` is everyone's), or its own. */
function group({ config, host, request }: Context): { readonly path: string; readonly at: string; readonly schemata: readonly (readonly [line: string, at: string])[] } | undefined {
  const rdt = config.linux?.intelRdt;
  if (rdt === undefined) return undefined;
  if (host.resctrl === undefined) {
    throw new RuntimeError('intelRdt is specified in config, but Intel RDT is not supported or enabled', { pointer: '/linux/intelRdt', hint: 'mount -t resctrl resctrl /sys/fs/resctrl, on a processor and a kernel that have it' });
  }
  const name = rdt.closID ?? request.id;
  const lines = [rdt.l3CacheSchema ?? '', rdt.memBwSchema ?? ''].map((line, index) => [line, `/linux/intelRdt/${index === 0 ? 'l3CacheSchema' : 'memBwSchema'}`] as const);
  const schemata = [...lines, ...(rdt.schemata ?? []).map((line, index) => [line, `/linux/intelRdt/schemata/${index}`] as const)].filter(([line]) => line !== '');
  return { path: name === '/' ? host.resctrl : `${host.resctrl}/${name}`, at: rdt.closID === undefined ? '/linux/intelRdt' : '/linux/intelRdt/closID', schemata };
}

/** Made and limited before the first process is inside. A class that is named and not described must exist. */
export function intelRdt(context: Context): readonly Step[] {
  const found = group(context);
  if (found === undefined) return [];
  const { path, at, schemata } = found;
  const rdt = context.config.linux!.intelRdt!;
  const step = part('runtime', at);
  const steps: Step[] = [];
  if (rdt.closID === undefined || (rdt.closID !== '/' && schemata.length > 0)) steps.push(step('mkdirat', [AT_FDCWD, path, 0o755], 'the kernel fills it', { tolerate: ['EEXIST'] }));
  steps.push(step('openat', [AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'a class that is named and not described must exist', { result: 'rdt' }), step('close', [{ slot: 'rdt' }], ''));
  for (const [line, place] of schemata) {
    const text = `${line.replace(/\n+$/, '')}\n`;
    steps.push(part('runtime', place)('write_file', [`${path}/schemata`, text, Buffer.byteLength(text)], 'before the first process is inside'));
  }
  if (rdt.enableMonitoring === true) {
    steps.push(part('runtime', '/linux/intelRdt/enableMonitoring')('mkdirat', [AT_FDCWD, `${path}/mon_groups/${context.request.id}`, 0o755], 'what the container uses is counted by itself', { tolerate: ['EEXIST'] }));
  }
  return steps;
}

/** Init enters; all it starts is born inside. */
export function intelRdtTasks(context: Context): readonly Step[] {
  const found = group(context);
  if (found === undefined) return [];
  const tasks = [part('runtime', found.at)('write_pid', [`${found.path}/tasks`], 'its children are born inside')];
  if (context.config.linux!.intelRdt!.enableMonitoring !== true) return tasks;
  return [...tasks, part('runtime', '/linux/intelRdt/enableMonitoring')('write_pid', [`${found.path}/mon_groups/${context.request.id}/tasks`], 'after the class: only its own tasks can be monitored')];
}
