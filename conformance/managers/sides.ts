// The two sides of a comparison: runt, and the runtime that a manager takes by itself; configured as a person would.
import { mkdirSync, writeFileSync } from 'node:fs';
import { runt } from '../vm/guest.ts';
import type { Side } from './operation.ts';

export const runc = '/usr/sbin/runc';
export const crun = process.env['RUNT_PEER'] ?? '/usr/bin/crun';

/** A container that does nothing until it is told to end, and then does so at once. */
export const wait = `sh -c 'trap "exit 0" TERM INT; while :; do sleep 0.1; done'`;

/** Extra lines for a host with fewer rights than the machine has, one key a line. */
const containers = process.env['RUNT_CONTAINERS_CONF'] ?? '';

/** Podman and buildah take their runtime from containers.conf; crun is Debian's default. Each side has a file of its own. */
export function podmanSides(directory: string): readonly [Side, Side] {
  mkdirSync(directory, { recursive: true });
  const side = (name: Side['name'], runtime: string): Side => {
    const path = `${directory}/containers-${name}.conf`;
    writeFileSync(path, `[containers]
apparmor_profile = "unconfined"
${containers}
[engine]
cgroup_manager = "cgroupfs"
runtime = "${runtime}"
runtime_supports_json = ["crun", "runc", "runt"]
`);
    return { name, runtime, environment: { CONTAINERS_CONF: path } };
  };
  return [side('runt', runt), side('peer', crun)];
}
