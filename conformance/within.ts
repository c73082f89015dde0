// Runs programs in fresh containers and gives what they saw: for tests of what config.json does.
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, type Json, type Result } from './harness.ts';

export type Config = ReturnType<typeof baseConfig>;

export interface Within {
  readonly runtime: Runtime;
  /** An id that no other container has. */
  readonly fresh: () => string;
  readonly run: (args: readonly string[], change?: (config: Config) => unknown) => Result;
  /** What a program inside prints; it must succeed. */
  readonly inside: (args: readonly string[], change?: (config: Config) => unknown) => string;
  readonly sh: (script: string, change?: (config: Config) => unknown) => string;
  /** Why a bundle is refused. */
  readonly refusal: (change: (config: Config) => unknown) => string;
  /** Both engines run the same source: every case by the executable, the first of each kind by Node. */
  readonly cases: <T>(list: readonly T[]) => readonly T[];
}

/** `prefix`: what the ids of the containers begin with. */
export function within(path: string, prefix: string): Within {
  const runtime = new Runtime(path);
  let count = 0;
  const fresh = (): string => `${prefix}${process.pid}-${count++}`;
  const run: Within['run'] = (args, change = () => {}) => {
    const config = baseConfig(...args);
    change(config);
    return runtime.run(['run', '--bundle', makeBundle(config), fresh()]);
  };
  const inside: Within['inside'] = (args, change) => {
    const result = run(args, change);
    assert.is(result.code, 0, `exit ${result.code}: ${result.stderr}${result.stdout}`);
    return result.stdout.trim();
  };
  return {
    runtime, fresh, run, inside,
    sh: (script, change) => inside(['/bin/sh', '-c', script], change),
    refusal: (change) => {
      const result = run(['/bin/true'], change);
      assert.is.not(result.code, 0, 'it was not refused');
      return result.stderr;
    },
    cases: (list) => (path.endsWith('bin/runt') ? list.slice(0, 1) : list),
  };
}

export const tmpfs = (destination: string, ...options: string[]): Json => ({ destination, type: 'tmpfs', source: 'tmpfs', options });
