// All of runt-conformance in the machine, runt's executable: a column of the machine's matrix in docs/conformance.md. With it belong
// suite-node, suite-runc and suite-crun: `npm run test:vm -- conformance/vm/suite-*.vmlong.ts`, two machines, an hour and more; then
// `tsx conformance/suite/document.ts machine ~/.cache/runt-vm/run.N/*/report`.
import { runt } from './guest.ts';
import { suiteOf } from './suite.ts';

suiteOf('runt (Bun)', runt, []);
