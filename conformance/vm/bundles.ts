// Captured bundles that need the machine's controllers, AppArmor or systemd: the same comparison with runc as in conformance/bundles.test.ts.
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { capturedBundles, compareRuntimes } from '../bundles/bundles.ts';
import { must } from './guest.ts';
import { suite } from './tap.ts';

/** Loads a manager's profile where no manager has: any other than the host's own shows that it is applied, and in which mode. */
function loadProfile(name: string): void {
  must(`grep -q '^${name} ' /sys/kernel/security/apparmor/profiles || printf '%s' 'profile "${name}" flags=(attach_disconnected,mediate_deleted) { capability, network, mount, umount, pivot_root, ptrace, signal, dbus, unix, file, }' | apparmor_parser -Kr`);
}

/** A test for each bundle of the machine whose name is chosen. */
export function compareBundles(engine: string, runtime: string, chosen: (name: string) => boolean): void {
  const test = suite(`bundles ${engine}`);
  for (const bundle of capturedBundles('/work/runt/conformance/bundles')) {
    if (bundle.machine === undefined || !chosen(bundle.name)) continue;
    test(`${bundle.name} (${bundle.machine})`, () => {
      const { apparmorProfile } = (JSON.parse(readFileSync(bundle.file, 'utf8')) as { process: { apparmorProfile?: string } }).process;
      if (apparmorProfile !== undefined && apparmorProfile !== 'unconfined') loadProfile(apparmorProfile);
      assert.equal(compareRuntimes(bundle, runtime, '/usr/sbin/runc'), { found: [], expected: [] });
    });
  }
  test.run();
}
