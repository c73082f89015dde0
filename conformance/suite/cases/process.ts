// config.md, process: what the program finds when it begins.
import { readFileSync } from 'node:fs';
import { group } from '../case.ts';
import { equal, excludes, includes, match, ok, differ } from '../check.ts';
import { capabilityNames, capabilitySet, tmpfs, type Change } from '../config.ts';

const test = group('process');

test('config.md#process/cwd', 'cwd is the working directory', async (box) => equal((await box.facts((config) => (config.process['cwd'] = '/tmp'))).cwd, '/tmp', 'cwd'));
test('config.md#process/cwd', 'a relative cwd is refused', async (box) => void (await box.refused((config) => (config.process['cwd'] = 'tmp'))));
test('config.md#process/cwd', 'cwd on a mount', async (box) => equal((await box.facts((config) => {
  config.mounts.push(tmpfs('/data'));
  config.process['cwd'] = '/data';
})).cwd, '/data', 'cwd'));
test('config.md#process/env', 'the environment is env', async (box) => {
  const env = ['PATH=/bin', 'ONE=1', 'EMPTY=', 'EQUAL=a=b', 'BLANK=a b', 'LINE=a\nb', 'UTF=ä'];
  const seen = (await box.facts((config) => (config.process['env'] = [...env, `CONFORMANCE=${box.token}`]))).env;
  for (const one of env) includes(seen, one, 'environment');
});
test('config.md#process/env', 'nothing else is in the environment but HOME', async (box) => {
  const seen = (await box.facts((config) => (config.process['env'] = ['PATH=/bin', `CONFORMANCE=${box.token}`]))).env;
  equal(seen.filter((one) => !/^(PATH|CONFORMANCE|HOME)=/.test(one)), [], 'other variables');
});
test('config.md#process/args', 'args is argv', async (box) => {
  const args = ['/probe', 'facts', ',', 'say', 'a b', '', '"', '$HOME', '*', 'ü', '--help', '-x'];
  equal((await box.facts((config) => (config.process['args'] = args))).args, args, 'argv');
});
test('config.md#process/args', 'empty args are refused', async (box) => void (await box.refused((config) => (config.process['args'] = []))));
test('config.md#process/args', 'a missing program is an error', async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle([], (config) => (config.process['args'] = ['/nothing'])), box.id()]);
  differ(result.code, 0, 'exit status');
});
test('config.md#process/args', 'a directory as program is an error', async (box) => differ((await box.call(['run', '--bundle', box.bundle([], (config) => (config.process['args'] = ['/etc'])), box.id()])).code, 0, 'exit status'));
test('config.md#process/args', 'a program without the bit for execution is an error', async (box) => differ((await box.call(['run', '--bundle', box.bundle([], (config) => (config.process['args'] = ['/etc/passwd'])), box.id()])).code, 0, 'exit status'));
test('config.md#process/args-path', 'a name is looked for in PATH of env', async (box) => equal((await box.facts((config) => {
  config.process['args'] = ['probe', 'facts'];
  config.process['env'] = ['PATH=/nowhere:/', `CONFORMANCE=${box.token}`];
})).args[0], 'probe', 'argv[0]'));
test('config.md#process/args-path', 'a name that PATH does not have is an error', async (box) => differ((await box.call(['run', '--bundle', box.bundle([], (config) => (config.process['args'] = ['nothing'])), box.id()])).code, 0, 'exit status'));
test('config.md#process/terminal', 'without terminal no standard stream is one', async (box) => equal((await box.facts()).terminals, [0, 0, 0], 'terminals'));
for (const terminal of [false, undefined]) {
  test('config.md#process/consoleSize', `consoleSize is ignored where terminal is ${terminal === undefined ? 'absent' : 'false'}`, async (box) => {
    const seen = await box.facts((config) => {
      if (terminal === undefined) delete config.process['terminal'];
      config.process['consoleSize'] = { height: 10, width: 20 };
    });
    equal(seen.window, [0, 0], 'window');
  });
}

const terminalOf = (change: Change = () => {}) => async (box: Parameters<Parameters<typeof test>[2]>[0]): Promise<string> => {
  const socket = box.path('console'), receiver = box.spawn(box.settings.probe, ['receive', socket]);
  await box.until('the socket is there', () => receiver.output().includes('ready'));
  const made = await box.create(['facts', ',', 'stat', '/dev/console', '/dev/pts/0', ',', 'say', 'end'], (config) => {
    config.process['terminal'] = true;
    change(config);
  }, '--console-socket', socket);
  await box.must(['start', made.id]);
  await box.until('the terminal says all', () => receiver.output().includes('"say":"end"'));
  return receiver.output();
};
const factsOf = (text: string): Record<string, any> => (JSON.parse(text.split('\n').find((line) => line.startsWith('{"facts"'))!.trim()) as { facts: Record<string, any> }).facts;

test('config.md#process/terminal', 'the standard streams are the terminal, which is the controlling one', async (box) => {
  const facts = factsOf(await terminalOf()(box));
  equal([facts['terminals'], facts['controllingTerminal']], [[1, 1, 1], 1], 'terminals');
  equal([0, 1, 2].map((fd) => facts['descriptors'][fd]), ['/dev/pts/0', '/dev/pts/0', '/dev/pts/0'], 'streams');
});
test('config.md#process/consoleSize-applied', 'consoleSize is the size of the terminal', async (box) => equal(factsOf(await terminalOf((config) => void (config.process['consoleSize'] = { height: 33, width: 111 }))(box))['window'], [33, 111], 'window'));
test('config-linux.md#default-devices/console', '/dev/console is the terminal', async (box) => {
  const text = await terminalOf()(box);
  const { stat } = JSON.parse(text.split('\n').find((line) => line.startsWith('{"stat"'))!) as { stat: Record<string, { inode: string; type: string }> };
  equal(stat['/dev/console']?.inode, stat['/dev/pts/0']?.inode, '/dev/console and /dev/pts/0');
});
test('callers#create/console-socket', 'one descriptor with some data', async (box) => {
  const [, first] = (await terminalOf()(box)).split('\n');
  const line = JSON.parse(first!) as { count: number; terminal: number; data: string };
  equal([line.count, line.terminal, line.data.length > 0], [1, 1, true], 'message');
});

const limits: readonly (readonly [string, number, number])[] = [['CPU', 1000, 2000], ['FSIZE', 1 << 30, 2 ** 31], ['DATA', 1 << 30, 2 ** 31], ['STACK', 1 << 22, 1 << 23], ['CORE', 0, 4096], ['RSS', 1 << 30, 2 ** 31], ['NPROC', 900, 1000], ['NOFILE', 100, 200], ['MEMLOCK', 1 << 16, 1 << 17], ['AS', 1 << 30, 2 ** 31], ['LOCKS', 10, 20], ['SIGPENDING', 50, 60], ['MSGQUEUE', 1000, 2000], ['NICE', 0, 0], ['RTPRIO', 0, 0], ['RTTIME', 1000000, 2000000]];
for (const [name, soft, hard] of limits) {
  test(name === 'CORE' ? 'config.md#posix-process/rlimits-hard' : 'config.md#posix-process/rlimits-soft', `RLIMIT_${name}`, async (box) => equal((await box.facts((config) => (config.process['rlimits'] = [{ type: `RLIMIT_${name}`, soft, hard }]))).rlimits[`RLIMIT_${name}`], [String(soft), String(hard)], 'soft and hard'));
}
test('config.md#posix-process/rlimits-hard', 'several limits hold together', async (box) => {
  const seen = (await box.facts((config) => (config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 64 }, { type: 'RLIMIT_CORE', soft: 1, hard: 2 }]))).rlimits;
  equal([seen['RLIMIT_NOFILE'], seen['RLIMIT_CORE']], [['64', '64'], ['1', '2']], 'limits');
});
test('config.md#posix-process/rlimits-mapping', 'an unknown limit is refused', async (box) => void (await box.refused((config) => (config.process['rlimits'] = [{ type: 'RLIMIT_NOSUCH', soft: 1, hard: 1 }]))));
test('config.md#posix-process/rlimits-duplicate', 'a limit given twice is refused', async (box) => void (await box.refused((config) => (config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 100 }, { type: 'RLIMIT_NOFILE', soft: 200, hard: 200 }]))));
test('config.md#posix-process/rlimits-soft', 'a soft limit above the hard one is refused', async (box) => void (await box.refused((config) => (config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 200, hard: 100 }]))));

for (const key of ['effective', 'permitted', 'bounding', 'inheritable', 'ambient'] as const) {
  test(`config.md#linux-process/capabilities-${key}`, `${key} is exactly what is listed`, async (box) => {
    const own = ['CAP_CHOWN', 'CAP_NET_BIND_SERVICE'];
    const all = ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_SETUID'];
    const sets: Record<string, string[]> = { bounding: all, permitted: all, effective: all, inheritable: [], ambient: [] };
    // Root's execve gives permitted and effective all of bounding and inheritable (capabilities(7)); so another user shows sets alone.
    sets[key] = own;
    if (key === 'ambient') [sets['permitted'], sets['inheritable']] = [all, all];
    if (key === 'effective' || key === 'permitted') Object.assign(sets, { bounding: own, permitted: own, effective: own });
    const seen = (await box.facts((config) => (config.process['capabilities'] = sets))).capabilities;
    equal(seen[key], capabilitySet(...own), key);
  });
}
test('config.md#linux-process/capabilities-effective', 'no capabilities at all', async (box) => {
  const seen = (await box.facts((config) => (config.process['capabilities'] = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] }))).capabilities;
  for (const [key, value] of Object.entries(seen)) equal(value, '0000000000000000', key);
});
test('config.md#linux-process/capabilities-bounding', 'every capability of this kernel, one dropped', async (box) => {
  const own = capabilityNames.filter((name) => name !== 'CAP_SYS_TIME');
  const possible = BigInt(`0x${/^CapBnd:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!}`);
  const usable = own.filter((_, index) => (possible >> BigInt(capabilityNames.indexOf(own[index]!))) & 1n);
  const seen = (await box.facts((config) => (config.process['capabilities'] = { bounding: usable, effective: usable, permitted: usable }))).capabilities;
  equal(seen.bounding, capabilitySet(...usable), 'bounding');
});
test('config.md#linux-process/capabilities-ambient', 'ambient capabilities reach another user', async (box) => {
  const set = ['CAP_NET_BIND_SERVICE'];
  const seen = (await box.facts((config) => {
    config.process['user'] = { uid: 1000, gid: 1000 };
    config.process['capabilities'] = { bounding: set, effective: set, permitted: set, inheritable: set, ambient: set };
  })).capabilities;
  equal([seen.effective, seen.ambient], [capabilitySet(...set), capabilitySet(...set)], 'effective and ambient');
});
test('config.md#linux-process/capabilities-unknown', 'an unknown capability is an error or is left out', async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle(['facts'], (config) => (config.process['capabilities'] = { bounding: ['CAP_CHOWN', 'CAP_NOSUCH'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] })), box.id()]);
  if (result.code === 0) includes(result.stdout, `"bounding":"${capabilitySet('CAP_CHOWN')}"`, 'bounding');
  else match(result.stderr, /CAP_NOSUCH|capab/i, 'the message');
});
for (const value of [true, false]) test('config.md#linux-process/noNewPrivileges', `noNewPrivileges ${value}`, async (box) => equal((await box.facts((config) => (config.process['noNewPrivileges'] = value))).noNewPrivileges, Number(value), 'the bit'));
for (const value of [0, 321, 1000]) test('config.md#linux-process/oomScoreAdj', `oomScoreAdj ${value}`, async (box) => equal((await box.facts((config) => (config.process['oomScoreAdj'] = value))).oomScoreAdj?.trim(), String(value), 'oom_score_adj'));
test('config.md#linux-process/oomScoreAdj-absent', 'without it the value is that of the runtime', async (box) => {
  const own = readFileSync('/proc/self/oom_score_adj', 'utf8').trim();
  equal((await box.facts()).oomScoreAdj?.trim(), own, 'oom_score_adj');
});
for (const [policy, number] of [['SCHED_OTHER', 0], ['SCHED_BATCH', 3], ['SCHED_IDLE', 5]] as const) {
  test('config.md#linux-process/scheduler', policy, async (box) => {
    const { scheduler } = await box.facts((config) => (config.process['scheduler'] = { policy, ...(policy === 'SCHED_IDLE' ? {} : { nice: 7 }) }));
    equal([scheduler.policy, policy === 'SCHED_IDLE' ? 7 : scheduler.nice], [number, 7], 'policy and nice');
  });
}
for (const [policy, number] of [['SCHED_FIFO', 1], ['SCHED_RR', 2]] as const) {
  test('config.md#linux-process/scheduler', policy, async (box) => {
    const { scheduler } = await box.facts((config) => (config.process['scheduler'] = { policy, priority: 3 }));
    equal([scheduler.policy, scheduler.priority], [number, 3], 'policy and priority');
  });
}
test('config.md#linux-process/scheduler', 'SCHED_FLAG_RESET_ON_FORK', async (box) => equal((await box.facts((config) => (config.process['scheduler'] = { policy: 'SCHED_BATCH', nice: 2, flags: ['SCHED_FLAG_RESET_ON_FORK'] }))).scheduler.flags & 1, 1, 'flags'));
for (const [name, number] of [['IOPRIO_CLASS_RT', 1], ['IOPRIO_CLASS_BE', 2], ['IOPRIO_CLASS_IDLE', 3]] as const) {
  test('config.md#linux-process/ioPriority', name, async (box) => equal((await box.facts((config) => (config.process['ioPriority'] = { class: name, priority: name === 'IOPRIO_CLASS_IDLE' ? 0 : 4 }))).ioprio, (number << 13) + (number === 3 ? 0 : 4), 'ioprio'));
}
test('config.md#user/uid', 'uid: real, effective, saved', async (box) => equal((await box.facts((config) => (config.process['user'] = { uid: 1234, gid: 0 }))).uid, [1234, 1234, 1234], 'uid'));
test('config.md#user/gid', 'gid: real, effective, saved', async (box) => equal((await box.facts((config) => (config.process['user'] = { uid: 0, gid: 4321 }))).gid, [4321, 4321, 4321], 'gid'));
test('config.md#user/uid', 'a uid above 31 bits', async (box) => equal((await box.facts((config) => (config.process['user'] = { uid: 4000000000, gid: 4000000001 }))).uid[0], 4000000000, 'uid'));
test('config.md#user/additionalGids', 'additionalGids are the groups', async (box) => equal((await box.facts((config) => (config.process['user'] = { uid: 1000, gid: 1000, additionalGids: [5, 7, 90000] }))).groups, [5, 7, 90000], 'groups'));
test('config.md#user/additionalGids', 'without additionalGids there are none', async (box) => equal((await box.facts((config) => (config.process['user'] = { uid: 1000, gid: 1000 }))).groups.filter((one) => one !== 1000), [], 'groups'));
for (const umask of [0, 0o027, 0o077, 0o777]) test('config.md#user/umask', `umask ${umask.toString(8)}`, async (box) => equal((await box.facts((config) => (config.process['user'] = { uid: 0, gid: 0, umask }))).umask, umask, 'umask'));
test('config.md#process/env', 'a variable without = is refused or comes as it is', async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle(['facts'], (config) => (config.process['env'] = ['PATH=/bin', 'ODD', `CONFORMANCE=${box.token}`])), box.id()]);
  if (result.code === 0) ok(/"ODD"/.test(result.stdout), 'ODD is in the environment');
  else excludes(result.stderr, '    at ', 'the message');
});
test('config.md#linux-process/execCPUAffinity', 'execCPUAffinity.final holds for exec', async (box) => {
  const { id } = await box.started(['sleep'], (config) => (config.process['execCPUAffinity'] = { initial: '0', final: '0' }));
  const result = await box.must(['exec', id, '/probe', 'facts']);
  includes(result.stdout, '"affinity":[0]', 'facts');
});
