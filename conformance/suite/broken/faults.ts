// What is wrong with each broken runtime, and words of the cases that must catch it.
import { spawnSync } from 'node:child_process';

type Config = Record<string, any>;
export interface Call {
  readonly verb: string;
  readonly words: readonly string[];
  readonly good: string;
}

export interface Fault {
  /** The beginning of the id of a case that must fail. */
  readonly caughtBy: string;
  /** Changes config.json before the good runtime reads it. */
  readonly config?: (config: Config) => void;
  /** Other arguments for the good runtime. */
  readonly args?: (call: Call) => readonly string[];
  /** Another standard output, for these verbs. */
  readonly verbs?: readonly string[];
  readonly output?: (text: string, words: readonly string[]) => string;
  /** Another exit status. */
  readonly status?: (status: number, call: Call) => number;
  readonly leaks?: readonly number[];
}

const options = (config: Config, change: (list: readonly string[]) => readonly string[]): void => {
  for (const mount of (config['mounts'] ?? []) as Config[]) if (Array.isArray(mount['options'])) mount['options'] = change(mount['options'] as string[]);
};
const state = (change: (state: Config) => void) => ({
  verbs: ['state'],
  output: (text: string): string => {
    if (!text.trim().startsWith('{')) return text;
    const value = JSON.parse(text) as Config;
    change(value);
    return JSON.stringify(value);
  },
});
const without = (text: string) => (list: readonly string[]): readonly string[] => list.filter((one) => one !== text);

export const faults: Readonly<Record<string, Fault>> = {
  'drops-noexec': { caughtBy: 'mounts/required: bind noexec', config: (config) => options(config, without('noexec')) },
  'drops-ro-of-mounts': { caughtBy: 'mounts/required: ro of a bind mount is felt', config: (config) => options(config, without('ro')) },
  'drops-propagation': { caughtBy: 'mounts/propagation: shared', config: (config) => options(config, without('shared')) },
  'reverses-mounts': { caughtBy: 'mounts/order: later mounts cover earlier ones', config: (config) => void (config['mounts'] as unknown[]).splice(6, 99, ...(config['mounts'] as unknown[]).slice(6).reverse()) },
  'ignores-root-readonly': { caughtBy: 'mounts/readonly: readonly true', config: (config) => void delete config['root'].readonly },
  'skips-a-capability': { caughtBy: 'process/capabilities-bounding: bounding is exactly', config: (config) => void (config['process'].capabilities.bounding = without('CAP_CHOWN')(config['process'].capabilities.bounding as string[])) },
  'adds-a-capability': { caughtBy: 'process/capabilities-effective: no capabilities at all', config: (config) => { for (const set of ['bounding', 'permitted', 'effective']) (config['process'].capabilities[set] as string[]).push('CAP_SYS_ADMIN'); } },
  'fills-inheritable': { caughtBy: 'security/capabilities: inheritable and ambient are empty', config: (config) => void (config['process'].capabilities.inheritable = config['process'].capabilities.permitted) },
  'forgets-no-new-privileges': { caughtBy: 'process/noNewPrivileges: noNewPrivileges true', config: (config) => void (config['process'].noNewPrivileges = false) },
  'ignores-rlimits': { caughtBy: 'process/rlimits-soft: RLIMIT_NOFILE', config: (config) => void delete config['process'].rlimits },
  'ignores-umask': { caughtBy: 'process/umask: umask 27', config: (config) => void delete config['process'].user?.umask },
  'drops-additional-groups': { caughtBy: 'process/additionalGids: additionalGids are the groups', config: (config) => void delete config['process'].user?.additionalGids },
  'ignores-oom-score': { caughtBy: 'process/oomScoreAdj: oomScoreAdj 321', config: (config) => void delete config['process'].oomScoreAdj },
  'ignores-cwd': { caughtBy: 'process/cwd: cwd is the working directory', config: (config) => void (config['process'].cwd = '/') },
  'leaks-environment': { caughtBy: 'process/env: nothing else is in the environment', config: (config) => void (config['process'].env as string[]).push('LEAKED=1') },
  'leaks-a-descriptor': { caughtBy: 'security/descriptors: descriptors of the caller', leaks: [3], args: ({ verb, words }) => (verb === 'run' ? words.flatMap((word) => (word === 'run' ? ['run', '--preserve-fds', '1'] : [word])) : words) },
  'shares-the-network': { caughtBy: 'namespaces/new: a new network namespace', config: (config) => void (config['linux'].namespaces = (config['linux'].namespaces as Config[]).filter(({ type }) => type !== 'network')) },
  'shares-ipc': { caughtBy: 'namespaces/new: a new ipc namespace', config: (config) => void (config['linux'].namespaces = (config['linux'].namespaces as Config[]).filter(({ type }) => type !== 'ipc')) },
  'ignores-namespace-paths': { caughtBy: 'namespaces/path-join: a ipc namespace of another container', config: (config) => { for (const one of config['linux'].namespaces as Config[]) delete one['path']; } },
  'takes-duplicate-namespaces': { caughtBy: 'namespaces/duplicate: uts twice is refused', config: (config) => void (config['linux'].namespaces = [...new Map((config['linux'].namespaces as Config[]).map((one) => [one['type'], one])).values()]) },
  'ignores-hostname': { caughtBy: 'namespaces/hostname: hostname', config: (config) => void delete config['hostname'] },
  'masks-nothing': { caughtBy: 'linux/unreadable: a file', config: (config) => void delete config['linux'].maskedPaths },
  'leaves-readonly-paths-writable': { caughtBy: 'linux/readonly: a directory', config: (config) => void delete config['linux'].readonlyPaths },
  'ignores-sysctl': { caughtBy: 'linux/value: kernel.msgmax', config: (config) => void delete config['linux'].sysctl },
  'drops-devices': { caughtBy: 'devices/available: a character device', config: (config) => void delete config['linux'].devices },
  'wrong-device-mode': { caughtBy: 'devices/fileMode: fileMode', config: (config) => { for (const one of (config['linux'].devices ?? []) as Config[]) one['fileMode'] = 0o600; } },
  'loads-no-filter': { caughtBy: 'seccomp/defaultAction: a filter is loaded', config: (config) => void delete config['linux'].seccomp },
  'filter-ignores-arguments': { caughtBy: 'seccomp/args: SCMP_CMP_EQ', config: (config) => { for (const rule of (config['linux'].seccomp?.syscalls ?? []) as Config[]) delete rule['args']; } },
  'filter-always-eperm': { caughtBy: 'seccomp/errnoRet: an errno of choice', config: (config) => { for (const rule of (config['linux'].seccomp?.syscalls ?? []) as Config[]) delete rule['errnoRet']; } },
  'skips-hooks': { caughtBy: 'hooks/when: createRuntime is called', config: (config) => void delete config['hooks'] },
  'ignores-hook-failure': { caughtBy: 'hooks/createRuntime: a failing createRuntime fails create', config: (config) => { for (const list of Object.values((config['hooks'] ?? {}) as Record<string, Config[]>)) for (const hook of list) hook['args'] = (hook['args'] as string[] | undefined)?.map((word) => (/^[1-9]$/.test(word) ? '0' : word)); } },
  'hooks-without-arguments': { caughtBy: 'hooks/args: args of createRuntime', config: (config) => { for (const list of Object.values((config['hooks'] ?? {}) as Record<string, Config[]>)) for (const hook of list) hook['args'] = ['other', ...((hook['args'] ?? []) as string[]).slice(1)]; } },
  'says-created-when-running': { caughtBy: 'state/status: status running', ...state((value) => void (value['status'] = value['status'] === 'running' ? 'created' : value['status'])) },
  'says-running-when-stopped': { caughtBy: 'lifecycle/not-created: start of a stopped container', ...state((value) => void (value['status'] = value['status'] === 'stopped' ? 'running' : value['status'])) },
  'wrong-pid': { caughtBy: 'state/pid: pid of a running container', ...state((value) => void (value['pid'] = 1)) },
  'loses-annotations': { caughtBy: 'state/annotations: annotations are those', ...state((value) => void delete value['annotations']) },
  'relative-bundle': { caughtBy: 'state/bundle: bundle is an absolute path', ...state((value) => void (value['bundle'] = String(value['bundle']).slice(1))) },
  'state-is-no-json': { caughtBy: 'state/json: the types of the keys', verbs: ['state'], output: (text) => text.replaceAll('"', "'") },
  'start-of-nothing-succeeds': { caughtBy: 'lifecycle/unknown: start of nothing', status: (status, { verb }) => (verb === 'start' ? 0 : status) },
  'kill-of-a-stopped-container-succeeds': { caughtBy: 'lifecycle/stopped: kill of a stopped container', status: (status, { verb }) => (verb === 'kill' ? 0 : status) },
  'kill-always-terminates': { caughtBy: 'lifecycle/sends: kill sends USR1', args: ({ verb, words }) => (verb === 'kill' && !words.includes('KILL') && !words.includes('9') ? [...words.slice(0, -1), 'TERM'] : words) },
  'deletes-what-runs': { caughtBy: 'lifecycle/not-stopped: delete of a running container', args: ({ verb, words }) => (verb === 'delete' && !words.includes('--force') ? words.flatMap((word) => (word === 'delete' ? ['delete', '--force'] : [word])) : words) },
  'delete-removes-nothing': { caughtBy: 'lifecycle/creator: its maker goes through', args: ({ verb, words }) => (verb === 'delete' && !words.includes('--force') ? words.map((word) => (word === 'delete' ? 'state' : word)) : words), },
  'create-runs-the-program': { caughtBy: 'lifecycle/create-not-run: create does not run', status: (status, { verb, words, good }) => {
    if (verb === 'create' && status === 0) spawnSync(good, [...words.slice(0, words.indexOf('create')), 'start', words.at(-1)!]);
    return status;
  } },
  'exit-status-of-run-is-lost': { caughtBy: 'callers/exit: exit 7', status: (status, { verb }) => (verb === 'run' && status > 0 ? 1 : status) },
  'ignores-mappings-of-mounts': { caughtBy: 'mounts/same-mapping: uidMappings and gidMappings', config: (config) => { for (const mount of config['mounts'] as Config[]) for (const key of ['uidMappings', 'gidMappings']) delete mount[key]; } },
  'ignores-cgroups-path': { caughtBy: 'cgroups/absolute: an absolute path', config: (config) => void delete config['linux'].cgroupsPath },
  'ignores-unified': { caughtBy: 'cgroups/unknown: a file of cgroup v2 itself', config: (config) => void delete config['linux'].resources?.unified },
  'answers-nothing': { caughtBy: 'state/id: id is the id', verbs: ['state'], output: () => '' },
};
