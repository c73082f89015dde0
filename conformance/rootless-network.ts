// A container of an ordinary user whose network slirp4netns or pasta makes, started by a runtime hook: natively and in the virtual machine.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { baseConfig, forAnyone, makeBundle, type Json } from './harness.ts';

export const tools = ['slirp4netns', 'pasta'] as const;
type Tool = (typeof tools)[number];

/** Nobody else's. */
const USER = 100_000 + process.pid;
/** The node may be closed to ordinary users: then it is covered by one that is not, in this mount namespace. */
const tun = '[ "$(stat -c %a /dev/net/tun)" = 666 ] || { mknod /run/tun$$ c 10 200; chmod 666 /run/tun$$; mount --bind /run/tun$$ /dev/net/tun; }; exec "$@"';

/** Why it cannot be tried here; undefined where it can. */
export function missing(tool: Tool): string | undefined {
  if (!existsSync(`/usr/bin/${tool}`)) return `${tool} is not installed (apt-get install ${tool === 'pasta' ? 'passt' : tool})`;
  return existsSync('/dev/net/tun') ? undefined : `${tool}: there is no /dev/net/tun`;
}

/** Throws where the container does not reach a server on the loopback interface of its host, or something is left. */
export function connects(runtime: string, tool: Tool): void {
  const home = mkdtempSync(join(tmpdir(), 'network-'));
  chmodSync(home, 0o755);
  mkdirSync(join(home, 'run'));
  const config = baseConfig('/bin/sleep', '1000');
  const namespaces = (config.linux['namespaces'] as Json[]).filter(({ type }) => type !== 'cgroup');
  config.linux['namespaces'] = [...namespaces, { type: 'user' }];
  config.linux['resources'] = {};
  for (const key of ['uidMappings', 'gidMappings']) config.linux[key] = [{ containerID: 0, hostID: USER, size: 1 }];
  config['hooks'] = { createRuntime: [{ path: join(home, 'hook'), args: ['hook', tool, home], env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] }] };
  const bundle = makeBundle(config);
  chmodSync(bundle, 0o755);
  const script = join(process.cwd(), 'conformance/rootless-network.sh');
  const done = spawnSync('unshare', ['-m', '-n', 'sh', '-c', tun, 'sh', script, forAnyone(runtime), bundle, home, String(USER), tool], { encoding: 'utf8', input: '', timeout: 300_000, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
  assert.is(done.stdout, 'from the loopback of the host\n1\n', done.stderr + done.stdout);
  rmSync(home, { recursive: true });
}
