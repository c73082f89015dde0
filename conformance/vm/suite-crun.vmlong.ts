// All of runt-conformance in the machine, Debian's crun, whose failures are findings and no failures of ours (see suite-bun.vmlong.ts).
import { suiteOf } from './suite.ts';

suiteOf('crun', '/usr/bin/crun', [], true);
