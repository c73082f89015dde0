// A session of the ordinary user: one unit of her systemd in which line after line of shell is run, as in a terminal she is logged
// in at. A unit for each line would not do: what a line leaves running ends with its unit.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Result } from '../harness.ts';

/** Reads directories, one a line; in each: `script`, which is run, and what it printed and ended with. A directory is done when it has `status`. */
const server = 'while read -r at seconds; do timeout -k 5 "$seconds" /bin/sh "$at/script" </dev/null >"$at/out" 2>"$at/err"; echo $? >"$at/ended"; mv "$at/ended" "$at/status"; done';

export class Session {
  readonly #server: ChildProcess;
  #isOver = false;

  constructor(environment: NodeJS.ProcessEnv) {
    const user = { XDG_RUNTIME_DIR: '/run/user/1000', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1000/bus', HOME: '/home/tester', ...environment };
    const unit = ['systemd-run', '--user', '--quiet', '--collect', '--wait', '--pipe', '--property=Delegate=yes', '--working-directory=/home/tester', ...Object.keys(environment).map((name) => `--setenv=${name}`)];
    this.#server = spawn('/usr/sbin/runuser', ['-u', 'tester', '--', 'env', ...Object.entries(user).map(([name, value]) => `${name}=${value}`), ...unit, '/bin/sh', '-c', server], { stdio: ['pipe', 'ignore', 'inherit'], cwd: '/' });
    this.#server.on('exit', () => (this.#isOver = true));
  }

  /** Resolves when the script has ended, or the session. One after the other. */
  async run(script: string, seconds: number): Promise<Result> {
    const directory = mkdtempSync(join(tmpdir(), 'session-'));
    chmodSync(directory, 0o777);
    writeFileSync(join(directory, 'script'), script);
    this.#server.stdin!.write(`${directory} ${seconds}\n`);
    while (!existsSync(join(directory, 'status')) && !this.#isOver) await pause(100);
    const text = (name: string): string => (existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8') : '');
    const result = { code: this.#isOver ? 137 : Number(text('status')), stdout: text('out'), stderr: this.#isOver ? 'the session is over' : text('err') };
    rmSync(directory, { recursive: true });
    return result;
  }

  /** Ends what is left of it, containers too. */
  close(): void {
    this.#server.stdin!.end();
  }
}
