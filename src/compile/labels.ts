// process.apparmorProfile, process.selinuxLabel: written into init's own attributes (proc_pid_attr(5)), to hold from execve on.
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH, O_WRONLY, PROC_SUPER_MAGIC, RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV } from '../../native/linux/constants.ts';
import { RuntimeError } from '../errors.ts';
import { part, slot, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

const EINVAL = 22;

const profileOf = ({ config }: Context): string => config.process?.apparmorProfile ?? '';
const labelOf = ({ config }: Context): string => config.process?.selinuxLabel ?? '';

/**
 * A descriptor of the host's procfs, checked to be one: what is written through it cannot be led elsewhere, whatever a
 * joined mount namespace shows on /proc (CVE-2019-19921, CVE-2025-52881).
 */
export function openProcfs(context: Context): readonly Step[] {
  if (profileOf(context) === '' && labelOf(context) === '') return [];
  const step = part('container', profileOf(context) === '' ? '/process/selinuxLabel' : '/process/apparmorProfile');
  const memory = { out: 'procfs', size: 128 };
  return [
    step('openat', [AT_FDCWD, '/proc', O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'the host’s, before a joined mount namespace could show another', { result: 'procfs' }),
    step('fstatfs', [slot('procfs'), memory], 'struct statfs, f_type'),
    step('expect', [memory, 8, 0xffff_ffff, PROC_SUPER_MAGIC, EINVAL], 'a procfs, not what lies on /proc (CVE-2019-19921)'),
  ];
}

/** Init's own: nobody else may write them, and only the task that opened them (since Linux 5.13). */
export function labels(context: Context): readonly Step[] {
  return [...apparmorProfile(context), ...selinuxLabel(context), ...(profileOf(context) === '' && labelOf(context) === '' ? [] : [part('container', '')('close', [slot('procfs')], 'a directory of the host (CVE-2024-21626)')])];
}

function openAttribute(at: string, path: string, result: string, options: { readonly tolerate?: readonly string[]; readonly unless?: string } = {}): Step {
  const how = { struct: 'open_how', members: { flags: O_WRONLY | O_CLOEXEC, resolve: RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS } } as const;
  return part('container', at)('openat2', [slot('procfs'), `self/attr/${path}`, how, 24], 'nothing mounted over it (CVE-2025-52881)', { result, ...options });
}

/** `unconfined` is what a process is where the kernel has no AppArmor: only there its refusal is none. */
function apparmorProfile(context: Context): readonly Step[] {
  const profile = profileOf(context);
  if (profile === '') return [];
  const at = '/process/apparmorProfile';
  const step = part('container', at);
  const text = `exec ${profile}`;
  const options = profile === 'unconfined' ? { tolerate: ['EINVAL'] } : {};
  return [
    openAttribute(at, 'apparmor/exec', 'apparmor', { tolerate: ['ENOENT'] }),
    openAttribute(at, 'exec', 'apparmor', { unless: 'apparmor' }),
    step('write', [slot('apparmor'), text, Buffer.byteLength(text)], 'aa_change_onexec(2): from execve on', options),
    step('close', [slot('apparmor')], ''),
  ];
}

/** Throws RuntimeError where the kernel has no SELinux, in runc's words. */
function selinuxLabel(context: Context): readonly Step[] {
  const label = labelOf(context);
  if (label === '') return [];
  const at = '/process/selinuxLabel';
  if (!context.host.hasSelinux) throw new RuntimeError('selinux label is specified in config, but selinux is disabled or not supported', { pointer: at });
  const step = part('container', at);
  return [
    openAttribute(at, 'exec', 'selinux'),
    step('write', [slot('selinux'), label, Buffer.byteLength(label)], 'setexeccon(3): from execve on'),
    step('close', [slot('selinux')], ''),
    // A keyring made for the process carries its label, or the process could not use it.
    ...(context.request.noNewKeyring ? [] : [openAttribute(at, 'keycreate', 'keycreate'), step('write', [slot('keycreate'), label, Buffer.byteLength(label)], 'setkeycreatecon(3): until the keyring is made')]),
  ];
}

/** Keys that the process makes later are its own business. */
export function unlabelKeys(context: Context): readonly Step[] {
  if (labelOf(context) === '' || context.request.noNewKeyring) return [];
  const step = part('container', '/process/selinuxLabel');
  return [step('write', [slot('keycreate'), '', 0], 'the keyring is made'), step('close', [slot('keycreate')], '')];
}
