// The executable: argv in, exit status out.
import { main } from '../src/main.ts';

// exit(3) at once, without the engine's own farewell: 2 ms.
process.exitCode = await main(process.argv.slice(2));
process.exit();
