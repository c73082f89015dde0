// What both entries do: argv in, exit status out.
import { isLoaded } from '../native/linux/koffi.ts';
import { call } from '../native/linux/syscalls.ts';
import { main } from '../src/main.ts';

export { main };

export async function start(): Promise<void> {
  const snapshot = process.env['RUNT_SNAPSHOT'];
  if (snapshot !== undefined) await (await import('./warm.ts')).warm(snapshot);
  const status = await main(process.argv.slice(2));
  if (isLoaded()) call('exit_group', status); // the engines' own tidying up takes 0.6 ms and more, and nothing of ours waits for it
  process.exit(status);
}
