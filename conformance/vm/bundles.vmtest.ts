// Captured bundles that only this machine can run, on the executable; on Node one for each reason. All of them on Node: bundles.vmlong.ts.
import { compareBundles } from './bundles.ts';
import { runt, runtNode } from './guest.ts';

compareBundles('Bun', runt, () => true);
compareBundles('Node', runtNode, (name) => ['ctr-limits', 'docker-privileged', 'podman-apparmor'].includes(name));
