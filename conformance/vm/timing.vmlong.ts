// How long pause, resume and update take in the machine beside runc's, with real controllers and both drivers, and what managers take
// with each (managers/timing.ts). Emulation makes all slow alike: ratios only. Asserts no time. `npm run test:vm -- conformance/vm/timing.vmlong.ts`.
import { middle, milliseconds } from '../managers/stopwatch.ts';
import { must, runt, sh } from './guest.ts';
import { Subject } from './limits.ts';
import { note, suite } from './tap.ts';

const ROUNDS = 30;
const limits = { memory: { limit: 64 << 20 }, cpu: { quota: 50_000, period: 100_000 }, pids: { limit: 50 } };
const test = suite('timing');

for (const driver of ['cgroupfs', 'systemd'] as const) {
  test(`pause, resume and update, ${driver}`, () => {
    const subjects = [new Subject('runt', runt, driver), new Subject('runc', '/usr/sbin/runc', driver)];
    for (const subject of subjects) subject.detached(`timed-${subject.name}`, limits, 'while :; do sleep 1; done');
    const times = new Map<string, number[]>();
    for (let round = -1; round < ROUNDS; round++) {
      for (const subject of round % 2 === 0 ? subjects : [...subjects].reverse()) {
        const id = `timed-${subject.name}`;
        for (const [verb, command] of [['pause', `pause ${id}`], ['resume', `resume ${id}`], ['update', `update --memory ${(64 + Math.max(0, round)) << 20} --cpu-quota ${50_000 + 1000 * round} --pids-limit ${60 + round} ${id}`]] as const) {
          const taken = milliseconds(`exec ${subject.command} ${command}`);
          if (round >= 0) times.set(`${verb} ${subject.name}`, [...(times.get(`${verb} ${subject.name}`) ?? []), taken]); // the first warms up
        }
      }
    }
    for (const subject of subjects) {
      const memory = must(`cat ${subject.cgroup(`timed-${subject.name}`)}/memory.max`).trim();
      if (memory !== String((64 + ROUNDS - 1) << 20)) throw new Error(`${subject.name}: memory.max is ${memory}`);
      sh(`${subject.command} delete --force timed-${subject.name}`);
    }
    for (const verb of ['pause', 'resume', 'update']) {
      const [mine, theirs] = ['runt', 'runc'].map((name) => middle(times.get(`${verb} ${name}`)!));
      note(`${driver} ${verb}: runt ${Math.round(mine!)} ms, runc ${Math.round(theirs!)} ms, ${(mine! / theirs!).toFixed(2)}`);
    }
  });
}

test('podman run and ctr run', async () => void (await import('../managers/timing.ts')));

test.run();
