// linux.sysctl, through a procfs of our own: nothing mounted on /proc can redirect the write (CVE-2025-52881).
import { FSCONFIG_CMD_CREATE, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC, O_CLOEXEC, O_WRONLY, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '../../native/linux/constants.ts';
import { part, slot, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

/** `net.ipv4.ip_forward` or `net/ipv4/ip_forward` → `sys/net/ipv4/ip_forward`: whichever separator comes first is the one (sysctl.d(5)). */
export function sysctlPath(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  const swapped = first === '/' ? key : key.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
  return `sys/${swapped}`;
}

export function sysctl({ config }: Context): readonly Step[] {
  const pairs = Object.entries(config.linux?.sysctl ?? {});
  if (pairs.length === 0) return [];
  const step = part('container', '/linux/sysctl');
  const steps = [
    step('fsopen', ['proc', FSOPEN_CLOEXEC], 'a procfs that nobody else can reach (CVE-2025-52881)', { result: 'proc.fs' }),
    step('fsconfig', [slot('proc.fs'), FSCONFIG_CMD_CREATE, null, null, 0], ''),
    step('fsmount', [slot('proc.fs'), FSMOUNT_CLOEXEC, 0], '', { result: 'proc' }),
    step('close', [slot('proc.fs')], ''),
  ];
  pairs.forEach(([key, value], index) => {
    const at = part('container', `/linux/sysctl/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`);
    const name = `sysctl${index}`;
    const how = { struct: 'open_how', members: { flags: O_WRONLY | O_CLOEXEC, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS } } as const;
    steps.push(
      at('openat2', [slot('proc'), sysctlPath(key), how, 24], '', { result: name }),
      at('write', [slot(name), value, Buffer.byteLength(value)], ''),
      at('close', [slot(name)], ''),
    );
  });
  steps.push(step('close', [slot('proc')], ''));
  return steps;
}
