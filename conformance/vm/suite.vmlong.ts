// All of runt-conformance in the machine, runt on both engines beside Debian's runc and crun: the machine's matrix in docs/conformance.md.
// Some hours: `npm run test:vm -- conformance/vm/suite.vmlong.ts`, then `tsx conformance/suite/document.ts machine ~/.cache/runt-vm/run.N/report`.
import { runt, runtNode } from './guest.ts';
import { suiteOf } from './suite.ts';

suiteOf('runt (Bun)', runt, []);
suiteOf('runc', '/usr/sbin/runc', [], true);
suiteOf('crun', '/usr/bin/crun', [], true);
// A start of Node takes two seconds under emulation: what differs by engine, as suite.test.ts has it, and what only this machine shows.
suiteOf('runt (Node)', runtNode, ['cgroups/', 'state/', 'lifecycle/sends', 'lifecycle/no-', 'hooks/when', 'callers/exit', 'callers/signals', 'callers/environment', 'callers/console', 'seccomp/listenerPath', 'process/terminal']);
