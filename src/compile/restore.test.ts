// The program around CRIU: what comes before what, and which mount points are made.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openImage, readRecords } from '../program/decode.ts';
import { encodeProgram } from '../program/encode.ts';
import { printStep } from '../program/print.ts';
import { compileRestore } from './restore.ts';
import { testContext } from './testing.ts';

const test = suite('restore');
const criu = { criu: '/usr/sbin/criu', environment: ['PATH=/bin'], socket: 3, root: '/run/runt/c1/criu-root' };
const listing = (change: object): string[] => {
  const image = openImage(Buffer.from(encodeProgram(compileRestore(testContext(change, { preservedFds: 1 }), criu), {})))!;
  return readRecords(image).map((view) => `${view.side} ${printStep(image, view)}`);
};
const inOrder = (lines: readonly string[], ...words: string[]): void => {
  const places = words.map((word) => lines.findIndex((line) => line.includes(word)));
  assert.equal(places, [...places].sort((a, b) => a - b), `${words.join(', ')}: ${places.join(' ')}\n${lines.join('\n')}`);
  assert.not.ok(places.includes(-1), `${words.join(', ')}: ${places.join(' ')}\n${lines.join('\n')}`);
};

test('limits hold before CRIU runs; its mounts are its own; it is born in the cgroup', () => {
  const lines = listing({ linux: { namespaces: [{ type: 'mount' }], resources: { pids: { limit: 7 } } } });
  inOrder(lines, 'mkdirat(AT_FDCWD, "/sys/fs/cgroup/c1"', 'pids.max', 'close_range', 'unshare(CLONE_NEWNS)', 'MS_REC|MS_SLAVE', 'mount("/b/rootfs", "/run/runt/c1/criu-root"', 'CLONE_INTO_CGROUP', 'execve("/usr/sbin/criu", ["criu", "swrk", "3"]');
});
test('descriptors before the hand-over socket are CRIU’s, those after it close', () => {
  const [first] = listing({}).filter((line) => line.includes('close_range'));
  assert.match(first!, /close_range\(7, /); // 0 to 2, the conversation, program, hand-over, cgroup
});
test('mount points are made, but not those that come back with a tmpfs or a bind', () => {
  const mounts = [['/data', 'tmpfs'], ['/data/inner', 'bind'], ['/other', 'bind']].map(([destination, type]) => ({ destination, type, source: '/src' }));
  const lines = listing({ mounts }).filter((line) => line.includes('mkdirat($root'));
  assert.ok(lines.some((line) => line.includes('"data"')) && lines.some((line) => line.includes('"other"')), lines.join('\n'));
  assert.not.ok(lines.some((line) => line.includes('inner')), lines.join('\n'));
});
test.run();
