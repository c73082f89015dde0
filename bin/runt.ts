// The entry point of both engines: argv in, exit status out.
import { main } from '../src/main.ts';

process.exit(await main(process.argv.slice(2)));
