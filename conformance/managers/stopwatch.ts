// How long a line of shell takes, for those who compare runtimes by the clock.
import { spawnSync } from 'node:child_process';

/** Milliseconds on the clock. Throws when it does not end with 0. */
export function milliseconds(command: string, environment: NodeJS.ProcessEnv = {}): number {
  const start = performance.now();
  const done = spawnSync('/bin/sh', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...environment }, cwd: '/tmp' });
  if (done.status !== 0) throw new Error(`${command}: exit status ${done.status}`);
  return performance.now() - start;
}

/** The median. */
export const middle = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!;
