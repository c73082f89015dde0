// What a verb is: its flags, its words, and what it does. One file per verb; the table loads only the one that is called.
import { RuntimeError } from '../errors.ts';

/** Global flags, given before the verb. */
export interface Globals {
  readonly root: string;
  readonly log: string | undefined;
  readonly logFormat: 'text' | 'json';
  readonly debug: boolean;
  readonly cgroupManager: 'cgroupfs' | 'systemd' | 'disabled';
  /** How many words of the command line all of these are. */
  readonly count: number;
}

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** Shown in help as `--name VALUE`; a flag without it is a switch. */
  readonly value?: string;
  readonly help: string;
  /** May be given several times: valuesOf() has all of them. */
  readonly many?: boolean;
  /** Shown nowhere: accepted for callers that still pass it. */
  readonly hidden?: boolean;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Words after the flags, as `CONTAINER [SIGNAL]`. */
  readonly words: string;
  readonly least: number;
  readonly most: number;
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  /** Said below the flags: exit statuses, most often. */
  readonly notes?: string;
  readonly run: (call: Call) => number | Promise<number>;
}

/** Flags by name; a list for those that may be given several times. */
export type Flags = Readonly<Record<string, string | boolean | readonly string[]>>;

/** One call of a verb. */
export interface Call {
  readonly words: readonly string[];
  readonly flags: Flags;
  readonly globals: Globals;
  readonly stdout: (text: string) => void;
  readonly warn: (text: string) => void;
}

/** The value of a flag that takes one; undefined when it was not given. */
export function valueOf(call: Call, name: string): string | undefined {
  const value = call.flags[name];
  return typeof value === 'string' ? value : undefined;
}

/** All values of a flag that may be given several times. */
export function valuesOf(call: Call, name: string): readonly string[] {
  const value = call.flags[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** --format of a verb that lists. Throws RuntimeError for anything but its two words. */
export function formatOf(call: Call): 'table' | 'json' {
  const format = valueOf(call, 'format') ?? 'table';
  if (format !== 'table' && format !== 'json') throw new RuntimeError(`invalid format option: ${format}`, { hint: 'table or json' });
  return format;
}

/** --preserve-fds. Throws RuntimeError for what is no count. */
export function preserveFdsOf(call: Call): number {
  const count = valueOf(call, 'preserve-fds') ?? '0';
  if (!/^\d{1,4}$/.test(count)) throw new RuntimeError(`invalid value "${count}" for -preserve-fds`, { hint: 'a count of descriptors' });
  return Number(count);
}

/** True when a switch was given. */
export function isOn(call: Call, name: string): boolean {
  return call.flags[name] === true;
}
