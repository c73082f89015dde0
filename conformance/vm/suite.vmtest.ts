// What of runt-conformance no other machine shows: the limits of cgroup v2, which need its controllers. All of it: suite.vmlong.ts.
import { runt } from './guest.ts';
import { suiteOf } from './suite.ts';

suiteOf('runt', runt, ['cgroups/']);
