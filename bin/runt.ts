// The entry of the executable, and of the source tree; the Node build's is native/engine/node.cjs.
import '../native/engine/array.ts';
import { start } from './start.ts';

await start();
