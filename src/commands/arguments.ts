// The command line as runc takes it: flags end at the first word, the last of equal flags wins, one dash or two.
import minimist from 'minimist';
import { RuntimeError } from '../errors.ts';
import type { Flag, Flags } from './command.ts';

export interface Parsed {
  readonly flags: Flags;
  readonly words: readonly string[];
}

/** Reads flags and words. Throws RuntimeError for an unknown flag or a missing value, in the words managers look for. */
export function parseArguments(argv: readonly string[], flags: readonly Flag[]): Parsed {
  // Loops, here where every command passes: the engines compile flatMap and its like at their first use, for 0.1 ms each.
  const known = new Map<string, Flag>();
  const [string, boolean, alias]: [string[], string[], Record<string, string>] = [[], [], {}];
  for (const flag of flags) {
    known.set(flag.name, flag);
    (flag.value === undefined ? boolean : string).push(flag.name);
    if (flag.short === undefined) continue;
    known.set(flag.short, flag);
    alias[flag.short] = flag.name;
  }
  const { before, rest } = splitAtFirstWord(argv, known);
  const parsed = minimist(before, { string, boolean, alias }) as Record<string, unknown>;
  const result: Record<string, string | boolean | readonly string[]> = {};
  for (const flag of flags) {
    const value = parsed[flag.name];
    const last: unknown = Array.isArray(value) ? value[value.length - 1] : value;
    if (flag.many === true) result[flag.name] = value === undefined ? [] : ([value].flat() as unknown as readonly string[]);
    else if (flag.value !== undefined) {
      if (typeof last === 'string') result[flag.name] = last;
    } else if (last === true) result[flag.name] = true;
  }
  return { flags: result, words: rest };
}

/** minimist knows long flags by two dashes: Go's flag package, whose callers we have, takes one as well. */
function splitAtFirstWord(argv: readonly string[], known: ReadonlyMap<string, Flag>): { before: string[]; rest: readonly string[] } {
  const before: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') return { before, rest: argv.slice(i + 1) };
    if (!word.startsWith('-') || word === '-') return { before, rest: argv.slice(i) };
    const body = word.slice(word.startsWith('--') ? 2 : 1);
    const equals = body.indexOf('=');
    const name = equals < 0 ? body : body.slice(0, equals);
    const flag = known.get(name);
    if (flag === undefined) throw new RuntimeError(`flag provided but not defined: -${name}`, { usage: true });
    if (flag.value === undefined) {
      const value = equals < 0 ? 'true' : body.slice(equals + 1);
      if (value !== 'true' && value !== 'false') throw new RuntimeError(`invalid boolean value "${value}" for -${name}`, { usage: true });
      before.push(`--${flag.name}=${value}`);
    } else if (equals >= 0) before.push(`--${flag.name}=${body.slice(equals + 1)}`);
    else {
      const value = argv[++i];
      if (value === undefined) throw new RuntimeError(`flag needs an argument: -${name}`, { usage: true });
      before.push(`--${flag.name}=${value}`);
    }
  }
  return { before, rest: [] };
}
