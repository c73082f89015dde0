// The table of limits.vmtest.ts for crun and runc: what docs/cgroups.md sets beside runt. By name only: conformance/vm/test.sh FILE.
import { feelLimits, Subject, type Driver } from './limits.ts';

for (const driver of ['cgroupfs', 'systemd'] as readonly Driver[]) {
  // Debian's crun 1.21 cannot update by flags: it does not parse the JSON it makes of them. It has no events.
  feelLimits(new Subject('crun', '/usr/bin/crun', driver), { update: false, events: false });
  feelLimits(new Subject('runc', '/usr/sbin/runc', driver), { update: true, events: true });
}
