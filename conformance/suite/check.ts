// How a case says what is wrong: a sentence with what was seen, or that the host cannot show it.

export class Failure extends Error {}
export class Skip extends Error {}

const show = (value: unknown): string => {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
};

export function fail(what: string): never {
  throw new Failure(what);
}

/** Leaves the case: this host, or this runtime by its own word, cannot show it. */
export function skip(reason: string): never {
  throw new Skip(reason);
}

export function ok(value: unknown, what: string): asserts value {
  if (value === false || value === undefined || value === null || value === '' || value === 0) throw new Failure(what);
}

export function equal(seen: unknown, wanted: unknown, what: string): void {
  if (JSON.stringify(seen) !== JSON.stringify(wanted)) throw new Failure(`${what}: wanted ${show(wanted)}, saw ${show(seen)}`);
}

export function differ(seen: unknown, other: unknown, what: string): void {
  if (JSON.stringify(seen) === JSON.stringify(other)) throw new Failure(`${what}: both are ${show(seen)}`);
}

export function match(seen: string, pattern: RegExp, what: string): void {
  if (!pattern.test(seen)) throw new Failure(`${what}: ${show(seen)} does not match ${String(pattern)}`);
}

export function includes(list: readonly string[] | string, one: string, what: string): void {
  if (!list.includes(one)) throw new Failure(`${what}: ${show(one)} is not in ${show(list)}`);
}

export function excludes(list: readonly string[] | string, one: string, what: string): void {
  if (list.includes(one)) throw new Failure(`${what}: ${show(one)} is in ${show(list)}`);
}
