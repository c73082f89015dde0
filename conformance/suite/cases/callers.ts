// The command line as containerd, Docker, Podman, CRI-O, buildah and BuildKit use it.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { group } from '../case.ts';
import { differ, equal, excludes, fail, includes, match, ok, skip } from '../check.ts';
import { withoutNamespace } from '../config.ts';
import { parseLines } from '../facts.ts';
import { cgroupsWith, controllers, isAlive } from '../host.ts';

const test = group('callers');

test('callers#global/version', '--version', async (box) => {
  const { stdout } = await box.spawn(box.settings.runtime, ['--version']).done;
  match(stdout.split('\n')[0] ?? '', /^\S+ version \S+/, 'first line');
  match(stdout, /^spec: \d+\.\d+\.\d+/m, 'output');
});
test('callers#global/root', '--root holds containers apart', async (box) => {
  const { id } = await box.create();
  differ((await box.spawn(box.settings.runtime, ['--root', box.path('other'), 'state', id]).done).code, 0, 'state in another root');
});
test('callers#global/root', '--root=PATH', async (box) => {
  const { id } = await box.create();
  equal((await box.spawn(box.settings.runtime, [`--root=${box.root}`, 'state', id]).done).code, 0, 'exit status');
});
test('callers#global/log-json', 'an error is an object with level, msg and time', async (box) => {
  const log = box.path('log.json');
  const result = await box.call(['--log', log, '--log-format', 'json', 'start', `${box.token}-nobody`]);
  differ(result.code, 0, 'exit status');
  const lines = readFileSync(log, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, string>);
  const last = lines.filter((line) => line['level'] === 'error').at(-1) ?? fail(`no error in ${JSON.stringify(lines)}`);
  ok(last['msg'], 'msg');
  match(last['time'] ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/, 'time');
});
test('callers#global/log-json', 'the log is appended to', async (box) => {
  const log = box.path('log.json');
  for (let round = 0; round < 2; round++) await box.call(['--log', log, '--log-format', 'json', 'start', `${box.token}-nobody`]);
  equal(readFileSync(log, 'utf8').trim().split('\n').length, 2, 'lines');
});
test('callers#global/help', '--help', async (box) => equal((await box.spawn(box.settings.runtime, ['--help']).done).code, 0, 'exit status'));
for (const args of [['nosuchcommand'], ['--nosuchflag', 'list'], ['create', '--nosuchflag', 'x']]) test('callers#global/unknown', args.join(' '), async (box) => differ((await box.call(args)).code, 0, 'exit status'));
test('callers#global/repeated', 'the last --root counts', async (box) => {
  const { id } = await box.create();
  equal((await box.spawn(box.settings.runtime, ['--root', box.path('other'), '--root', box.root, 'state', id]).done).code, 0, 'exit status');
});
for (const verb of ['create', 'state', 'start', 'kill', 'delete']) {
  test('callers#global/environment', `${verb} without any environment`, async (box) => {
    const bundle = box.bundle(['sleep']), id = box.id(), env = {};
    const call = async (...args: string[]): Promise<void> => equal((await box.launch(args, { env }).done).code, 0, args[0]!);
    await call('create', '--bundle', bundle, id);
    if (verb === 'create') return;
    if (verb === 'start') return call('start', id);
    if (verb === 'state') return call('state', id);
    if (verb === 'kill') return call('kill', id, '9');
    return call('delete', '--force', id);
  });
}
test('callers#global/cwd', 'create without --bundle', async (box) => {
  const bundle = box.bundle(['sleep']), id = box.id();
  equal((await box.launch(['create', id], { cwd: bundle }).done).code, 0, 'exit status');
  equal((await box.state(id))['bundle'], bundle, 'bundle');
});
test('callers#create/pid-file', '--pid-file', async (box) => {
  const file = box.path('pid'), made = await box.create(['sleep'], () => {}, '--pid-file', file);
  equal(readFileSync(file, 'utf8'), String(await box.pid(made.id)), 'content');
});
test('callers#create/pid-file', 'none when create fails', async (box) => {
  const file = box.path('pid');
  differ((await box.call(['create', '--pid-file', file, '--bundle', box.bundle(['x'], (config) => config.mounts.push({ destination: '/x', type: 'nosuchfs', source: 'x' })), box.id()])).code, 0, 'exit status');
  ok(!existsSync(file), 'the pid file is there');
});
test('callers#create/console-rules', 'a terminal without a console socket is refused', async (box) => void (await box.refused((config) => (config.process['terminal'] = true))));
test('callers#create/console-rules', 'a console socket without a terminal is refused', async (box) => differ((await box.call(['create', '--console-socket', box.path('nobody'), '--bundle', box.bundle(['sleep']), box.id()])).code, 0, 'exit status'));
test('callers#create/preserve-fds', '--preserve-fds 2', async (box) => {
  for (const name of ['one', 'two']) writeFileSync(box.path(name), name);
  const facts = await box.facts(() => {}, { flags: ['--preserve-fds', '2'], files: [box.path('one'), box.path('two')] });
  equal(Object.keys(facts.descriptors), ['0', '1', '2', '3', '4'], 'descriptors');
});
test('callers#create/listen-fds', 'LISTEN_FDS for the pid of the runtime', async (box) => {
  writeFileSync(box.path('one'), '');
  const bundle = box.bundle(['facts']);
  const words = ['-c', 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', 'sh', box.settings.runtime, '--root', box.root, 'run', '--bundle', bundle, box.id()];
  const done = await box.spawn('/bin/sh', words, { files: [box.path('one')] }).done;
  const facts = parseLines(done.stdout)[0]?.facts ?? fail(`no facts: ${done.stderr}`);
  equal(Object.keys(facts.descriptors), ['0', '1', '2', '3'], 'descriptors');
  for (const one of ['LISTEN_FDS=1', 'LISTEN_PID=1']) includes(facts.env, one, 'environment');
});
test('callers#create/no-pivot', '--no-pivot', async (box) => {
  const facts = await box.facts(() => {}, { flags: ['--no-pivot'] });
  equal(facts.cwd, '/', 'cwd');
});
test('callers#create/no-new-keyring', '--no-new-keyring', async (box) => ok(await box.facts(() => {}, { flags: ['--no-new-keyring'] }), 'facts'));
test('callers#create/stdio', 'the streams of create are those of the process', async (box) => {
  const bundle = box.bundle(['echo', ',', 'say', 'end']), id = box.id();
  const created = box.launch(['create', '--bundle', bundle, id], { input: 'from outside' });
  equal((await created.done).code, 0, 'create');
  await box.must(['start', id]);
  await box.until('output', () => created.output().includes('end'));
  includes(created.output(), 'from outside', 'output');
});
test('callers#create/parent', 'a subreaper becomes the parent', async (box) => {
  const bundle = box.bundle(['sleep']), id = box.id();
  const done = await box.spawn('/usr/bin/setpriv', ['--pdeathsig', 'clear', '/bin/sh', '-c', '"$@" && echo made', 'sh', box.settings.runtime, '--root', box.root, 'create', '--bundle', bundle, id]).done;
  equal(done.code, 0, `create: ${done.stderr}`);
  match(readFileSync(`/proc/${await box.pid(id)}/status`, 'utf8'), /^PPid:\s+\d+$/m, 'the parent');
  ok(isAlive(await box.pid(id)), 'the process lives on after its maker');
});
for (const status of [0, 1, 7, 255]) test('callers#run/exit', `exit ${status}`, async (box) => equal((await box.call(['run', '--bundle', box.bundle(['exit', String(status)]), box.id()])).code, status, 'exit status'));
test('callers#run/exit', 'a signal', async (box) => equal((await box.call(['run', '--bundle', box.bundle(['syscall', 'kill', '1', '9', ',', 'die', '6'], (config) => withoutNamespace(config, 'pid')), box.id()])).code, 134, 'exit status'));
test('callers#run/detach', '--detach', async (box) => {
  const bundle = box.bundle(['sleep']), id = box.id();
  equal((await box.launch(['run', '--detach', '--bundle', bundle, id]).done).code, 0, 'exit status');
  equal(await box.status(id), 'running', 'status');
});
test('callers#run/keep', '--keep', async (box) => {
  const bundle = box.bundle(['exit', '3']), id = box.id();
  const result = await box.call(['run', '--keep', '--bundle', bundle, id]);
  equal([result.code, await box.status(id)], [3, 'stopped'], 'exit status and status');
  await box.must(['delete', id]);
});
test('callers#run/gone', 'nothing is left', async (box) => {
  const bundle = box.bundle(['exit']), id = box.id();
  await box.must(['run', '--bundle', bundle, id]);
  differ((await box.call(['state', id])).code, 0, 'state');
  equal(cgroupsWith(id), [], 'cgroups');
  equal(existsSync(box.root) ? readdirSync(box.root).filter((name) => name === id) : [], [], 'state directory');
});
test('callers#run/stdin', 'standard input', async (box) => includes((await box.must(['run', '--bundle', box.bundle(['echo']), box.id()], { input: 'a line\n' })).stdout, 'a line', 'output'));
test('callers#run/signals', 'TERM to run', async (box) => {
  const bundle = box.bundle(['wait']), run = box.launch(['run', '--bundle', bundle, box.id()]);
  await box.until('the process is ready', () => run.output().includes('ready'));
  run.kill('SIGTERM');
  await run.done;
  includes(run.output(), '"signal":15', 'output');
});
for (const status of [0, 5, 255]) test('callers#exec/exit', `exec exit ${status}`, async (box) => equal((await box.call(['exec', (await box.started()).id, '/probe', 'exit', String(status)])).code, status, 'exit status'));
test('callers#exec/inside', 'the namespaces are those of the container', async (box) => {
  const made = await box.started(['facts', ',', 'sleep']);
  await box.until('facts', () => made.lines().length > 0);
  const { stdout } = await box.must(['exec', made.id, '/probe', 'facts']);
  const inside = JSON.parse(stdout.split('\n')[0]!).facts as { namespaces: Record<string, string>; cgroup: string };
  equal(inside.namespaces, made.lines()[0]?.facts?.namespaces, 'namespaces');
  equal(inside.cgroup.match(/^0::.*$/m)?.[0], made.lines()[0]?.facts?.cgroup?.match(/^0::.*$/m)?.[0], 'cgroup');
});
test('callers#exec/process', '--process', async (box) => {
  const made = await box.started(), file = box.path('process.json');
  writeFileSync(file, JSON.stringify({ args: ['/probe', 'facts'], cwd: '/tmp', env: ['ONE=1'], user: { uid: 1000, gid: 1001, umask: 63 }, terminal: false, noNewPrivileges: true }));
  const { facts } = JSON.parse((await box.must(['exec', '--process', file, made.id])).stdout.split('\n')[0]!) as { facts: Record<string, any> };
  equal([facts['cwd'], facts['uid'][0], facts['gid'][0], facts['umask'], facts['noNewPrivileges'], facts['env'].includes('ONE=1')], ['/tmp', 1000, 1001, 63, 1, true], 'process');
});
test('callers#exec/flags', '--env --cwd --user', async (box) => {
  const made = await box.started();
  const { facts } = JSON.parse((await box.must(['exec', '--env', 'TWO=2', '--cwd', '/tmp', '--user', '1000:1001', made.id, '/probe', 'facts'])).stdout.split('\n')[0]!) as { facts: Record<string, any> };
  equal([facts['cwd'], facts['uid'][0], facts['gid'][0], facts['env'].includes('TWO=2')], ['/tmp', 1000, 1001, true], 'process');
});
test('callers#exec/detach', '--detach --pid-file', async (box) => {
  const made = await box.started(), file = box.path('exec.pid');
  equal((await box.launch(['exec', '--detach', '--pid-file', file, made.id, '/probe', 'sleep']).done).code, 0, 'exit status');
  ok(isAlive(Number(readFileSync(file, 'utf8'))), 'the process');
});
test('callers#exec/stopped', 'exec in a stopped container', async (box) => {
  const made = await box.started();
  await box.stop(made.id);
  differ((await box.call(['exec', made.id, '/probe', 'exit'])).code, 0, 'exit status');
});
test('callers#exec/confined', 'capabilities and no_new_privs', async (box) => {
  const made = await box.started(['facts', ',', 'sleep']);
  await box.until('facts', () => made.lines().length > 0);
  const { facts } = JSON.parse((await box.must(['exec', made.id, '/probe', 'facts'])).stdout.split('\n')[0]!) as { facts: Record<string, any> };
  equal([facts['capabilities'], facts['noNewPrivileges']], [made.lines()[0]?.facts?.capabilities, 1], 'capabilities and the bit');
});
test('callers#exec/confined', 'the filter', async (box) => {
  const made = await box.started(['sleep'], (config) => (config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['getpriority'], action: 'SCMP_ACT_ERRNO', errnoRet: 33 }] }));
  includes((await box.must(['exec', made.id, '/probe', 'syscall', 'getpriority', '0', '0'])).stdout, 'EDOM', 'output');
});
for (const [word, number] of [['TERM', 15], ['SIGTERM', 15], ['15', 15], ['usr1', 10]] as const) {
  test('callers#kill/names', word, async (box) => {
    const made = await box.started(['wait']);
    await box.until('the process is ready', () => made.output().includes('ready'));
    await box.must(['kill', made.id, word]);
    await box.until('the process answers', () => made.lines().length > 1);
    equal(made.lines()[1]?.signal, number, 'signal');
  });
}
test('callers#kill/default', 'no signal is TERM', async (box) => {
  const made = await box.started(['wait']);
  await box.until('the process is ready', () => made.output().includes('ready'));
  await box.must(['kill', made.id]);
  await box.until('the process answers', () => made.lines().length > 1);
  equal(made.lines()[1]?.signal, 15, 'signal');
});
for (const word of ['NOSUCH', '99']) test('callers#kill/unknown', word, async (box) => differ((await box.call(['kill', (await box.started()).id, word])).code, 0, 'exit status'));
test('callers#kill/text', 'a stopped container', async (box) => {
  const made = await box.started();
  await box.stop(made.id);
  match((await box.call(['kill', made.id, 'TERM'])).stderr, /container not running/, 'the message');
});
test('callers#kill/all', '--all', async (box) => {
  const made = await box.started(['sleep'], (config) => withoutNamespace(config, 'pid'));
  const file = box.path('exec.pid');
  await box.launch(['exec', '--detach', '--pid-file', file, made.id, '/probe', 'sleep']).done;
  const other = Number(readFileSync(file, 'utf8'));
  await box.must(['kill', '--all', made.id, 'KILL']);
  await box.gone(other);
});
test('callers#kill/namespace', 'KILL with a shared pid namespace', async (box) => {
  const made = await box.started(['sleep'], (config) => withoutNamespace(config, 'pid'));
  const file = box.path('exec.pid');
  await box.launch(['exec', '--detach', '--pid-file', file, made.id, '/probe', 'sleep']).done;
  const other = Number(readFileSync(file, 'utf8'));
  await box.must(['kill', made.id, 'KILL']);
  await box.must(['delete', '--force', made.id]);
  await box.gone(other);
});
test('callers#delete/force', 'of a running container', async (box) => {
  const made = await box.started(), pid = await box.pid(made.id);
  await box.must(['delete', '--force', made.id]);
  await box.gone(pid);
});
test('callers#delete/force-unknown', 'of nothing', async (box) => equal((await box.call(['delete', '--force', `${box.token}-nobody`])).code, 0, 'exit status'));
for (const verb of ['state', 'start', 'kill', 'delete']) test('callers#delete/text', `${verb} of nothing`, async (box) => match((await box.call([verb, `${box.token}-nobody`])).stderr, /does not exist/, 'the message'));
test('callers#list/json', 'list --format json', async (box) => {
  const made = await box.create();
  const all = JSON.parse((await box.must(['list', '--format', 'json'])).stdout) as Record<string, unknown>[];
  equal(all.map((one) => [one['id'], one['status'], one['pid']]), [[made.id, 'created', await box.pid(made.id)]], 'the list');
});
test('callers#list/quiet', 'list --quiet', async (box) => {
  const ids = [(await box.create()).id, (await box.create()).id];
  equal((await box.must(['list', '--quiet'])).stdout.trim().split('\n').sort(), ids, 'the list');
});
test('callers#list/table', 'list', async (box) => {
  const made = await box.create();
  match((await box.must(['list'])).stdout, new RegExp(`^(ID|NAME)\\s+PID\\s+STATUS[^]*${made.id}\\s+\\d+\\s+created`, 'm'), 'the table');
});
test('callers#others/ps', 'ps --format json', async (box) => {
  const made = await box.started();
  equal(JSON.parse((await box.must(['ps', '--format', 'json', made.id])).stdout), [await box.pid(made.id)], 'pids');
});
test('callers#others/pause', 'pause and resume', async (box) => {
  const made = await box.started();
  await box.must(['pause', made.id]);
  equal(await box.status(made.id), 'paused', 'status');
  await box.must(['resume', made.id]);
  equal(await box.status(made.id), 'running', 'status');
});
test('callers#others/pause', 'resume of a container that is not paused is an error', async (box) => differ((await box.call(['resume', (await box.started()).id])).code, 0, 'exit status'));
test('callers#others/update', 'update --resources -', async (box) => {
  if (!controllers.includes('pids')) skip('cgroup v2 of this host has no pids controller');
  const made = await box.started();
  await box.must(['update', '--resources', '-', made.id], { input: JSON.stringify({ pids: { limit: 44 } }) });
  includes(readFileSync(`${cgroupsWith(made.id)[0]}/pids.max`, 'utf8'), '44', 'pids.max');
});
test('callers#others/spec', 'spec writes a configuration that runs', async (box) => {
  const bundle = box.bundle(['exit', '6']);
  await box.spawn('/bin/rm', [`${bundle}/config.json`]).done;
  equal((await box.spawn(box.settings.runtime, ['spec'], { cwd: bundle }).done).code, 0, 'spec');
  const config = JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8')) as Record<string, any>;
  Object.assign(config['process'], { terminal: false, args: ['/probe', 'exit', '6'] });
  config['linux'].resources = {};
  box.write(bundle, config);
  equal((await box.call(['run', '--bundle', bundle, box.id()])).code, 6, 'exit status');
});
test('callers#others/spec', 'spec does not write over a file', async (box) => {
  const bundle = box.bundle(['exit']);
  differ((await box.spawn(box.settings.runtime, ['spec'], { cwd: bundle }).done).code, 0, 'exit status');
});
test('callers#others/features-quiet', 'features', async (box) => {
  const result = await box.spawn(box.settings.runtime, ['features']).done;
  if (result.code !== 0) skip('no features');
  equal(result.stderr, '', 'standard error');
});
test('callers#others/events', 'events --stats', async (box) => {
  const made = await box.started(), result = await box.call(['events', '--stats', made.id], { seconds: 8 });
  if (result.code !== 0) fail(result.stderr.trim());
  const one = JSON.parse(result.stdout) as Record<string, unknown>;
  equal([one['type'], one['id']], ['stats', made.id], 'type and id');
  excludes(result.stderr, 'panic', 'the message');
});
