// What tests inside the virtual machine share: commands as root and as the ordinary user, with their output in files,
// because what a command leaves running would hold a pipe open.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from '../harness.ts';

export const runt = process.env['RUNT'] ?? '/work/runt/dist/runt';
/** The same on Node, as a checkout runs it. */
export const runtNode = '/work/runt/bin/runt';
/** An OCI image as `docker load`, `podman load` and skopeo's docker-archive take it, and its rootfs. */
export const busyboxImage = '/opt/busybox.tar';
export const busyboxRootfs = '/opt/busybox';

/** Runs a command. Emulation is 10 to 30 times slower than the host: two minutes unless told. */
export function run(command: string, args: readonly string[], seconds = 120): Result {
  const directory = mkdtempSync(join(tmpdir(), 'run-'));
  const out = openSync(join(directory, 'out'), 'w'), err = openSync(join(directory, 'err'), 'w');
  const done = spawnSync(command, args, { stdio: ['ignore', out, err], timeout: seconds * 1000, killSignal: 'SIGKILL' });
  closeSync(out);
  closeSync(err);
  const stderr = readFileSync(join(directory, 'err'), 'utf8') + (done.error === undefined ? '' : String(done.error));
  const result = { code: done.status ?? 137, stdout: readFileSync(join(directory, 'out'), 'utf8'), stderr };
  rmSync(directory, { recursive: true });
  return result;
}

/** A line of shell as root. */
export function sh(script: string, seconds?: number): Result {
  return run('/bin/sh', ['-c', script], seconds);
}

/** As sh, and a failure is the test's. */
export function must(script: string, seconds?: number): string {
  const result = sh(script, seconds);
  if (result.code !== 0) throw new Error(`${script}: exit status ${result.code}\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** A line of shell as the user tester, inside her systemd: a service of her own, in a cgroup that is delegated to her. */
export function asTester(script: string, seconds?: number): Result {
  const bus = ['XDG_RUNTIME_DIR=/run/user/1000', 'DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus', 'HOME=/home/tester'];
  const unit = ['systemd-run', '--user', '--quiet', '--collect', '--wait', '--pipe', '--property=Delegate=yes', '--working-directory=/home/tester'];
  return run('/usr/sbin/runuser', ['-u', 'tester', '--', 'env', ...bus, ...unit, '/bin/sh', '-c', script], seconds);
}
