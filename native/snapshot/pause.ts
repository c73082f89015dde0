// The engine's end of a snapshot (pause.c): it stands still, and goes on in another process with that process's words.
import { installDirectory, loadLibrary, moveTo } from '../linux/koffi.ts';

/** What a process was given, as strings: argv with the program's own name, `name=value` pairs. */
export interface Given {
  readonly words: readonly string[];
  readonly environment: readonly string[];
}

/**
 * Stops for the tracer that takes the snapshot (take.c). Returns in each process that is made of it, with what that one was given; and
 * undefined, at once, where the C library is none whose thread can be continued elsewhere.
 */
export function pause(): Given | undefined {
  const library = loadLibrary(`${installDirectory}/runt-pause.so`);
  const stop = library.func('runt_pause', 'int', []);
  const given = library.func('runt_given', 'long', ['void *', 'ulong', 'void *']);
  const count = Buffer.alloc(4);
  if (stop() === 0) return undefined;
  const bytes = Buffer.alloc(Number(given(null, 0, count)));
  given(bytes, bytes.length, count);
  const [directory, ...all] = bytes.toString('utf8').split('\0');
  moveTo(directory!);
  return { words: all.slice(0, count.readUInt32LE(0)), environment: all.slice(count.readUInt32LE(0), -1) };
}
