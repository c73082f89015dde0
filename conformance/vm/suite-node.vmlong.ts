// All of runt-conformance in the machine, runt on Node (see suite-bun.vmlong.ts).
import { runtNode } from './guest.ts';
import { suiteOf } from './suite.ts';

suiteOf('runt (Node)', runtNode, []);
