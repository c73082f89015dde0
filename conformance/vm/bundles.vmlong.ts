// All captured bundles of the machine on Node, which takes seconds to start under emulation: by name only.
import { compareBundles } from './bundles.ts';
import { runtNode } from './guest.ts';

compareBundles('Node', runtNode, () => true);
