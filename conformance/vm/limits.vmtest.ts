// Each limit of cgroup v2 is felt under both drivers. The same table for crun and runc: limits-peers.vmlong.ts.
import { runt } from './guest.ts';
import { feelLimits, rounds, Subject, type Driver } from './limits.ts';
import { suite } from './tap.ts';

for (const driver of ['cgroupfs', 'systemd'] as readonly Driver[]) {
  const subject = new Subject('runt', runt, driver);
  feelLimits(subject, { update: true, events: true });
  const test = suite(`rounds ${driver}`);
  test('10 rounds of create and delete leave nothing', () => {
    rounds(subject, 10);
  });
  test.run();
}
