// How long a manager takes with each runtime, side by side: one call with each in turn, so that the load of the machine falls on
// all alike. Prints a row of docs/managers.md for each manager; asserts nothing. ROUNDS in the environment, or the first argument, says how often.
import { busyboxImage, must, runt } from '../vm/guest.ts';
import { podmanSides, runc } from './sides.ts';
import { middle, milliseconds } from './stopwatch.ts';

const rounds = Number(process.argv[2] ?? process.env['ROUNDS'] ?? 7);
const isNative = process.env['RUNT'] !== undefined;

function compare(name: string, call: (runtime: string, round: number) => readonly [command: string, environment: NodeJS.ProcessEnv]): void {
  const times = { runt: [] as number[], runc: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    for (const [word, runtime] of round % 2 === 0 ? [['runt', runt], ['runc', runc]] as const : [['runc', runc], ['runt', runt]] as const) {
      const taken = milliseconds(...call(runtime, round));
      if (round >= 0) times[word].push(taken); // the first call of each warms up
    }
  }
  const [mine, theirs] = [times.runt, times.runc].map((one) => [middle(one), Math.min(...one)] as const);
  const whole = (value: number): string => String(Math.round(value));
  process.stdout.write(`# timing: ${name} | ${whole(mine![0])} | ${whole(theirs![0])} | ${(mine![0] / theirs![0]).toFixed(2)} | ${whole(mine![1])} | ${whole(theirs![1])} | ${(mine![1] / theirs![1]).toFixed(2)}\n`);
}

must(`podman load -q -i ${busyboxImage}`);
const [side] = podmanSides('/tmp/timing');
compare('podman run --rm', (runtime) => [`podman --runtime ${runtime} run --rm --network none --pids-limit 0 busybox true`, side.environment!]);
if (!isNative) must('systemctl start containerd');
must(`ctr image import ${busyboxImage}`);
// A host without controllers takes no limits, and ctr asks for cpu shares by itself.
const flags = isNative ? '--cpu-shares 0' : '';
let count = 0;
compare('ctr run --rm', (runtime) => [`ctr run --rm ${flags} --runc-binary ${runtime} docker.io/library/busybox:latest timed-${process.pid}-${++count} true`, {}]);
