// JSON as config.json needs it: integers beyond 2^53 exact, and every place findable by line and column.

/** A document that is not JSON, or not text. Line and column begin at 1. */
export class JsonError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

const DEPTH_LIMIT = 512;

/** Bytes → text. Throws JsonError for a byte order mark or bytes that are not UTF-8 (RFC 8259, section 8.1). */
export function decodeConfig(bytes: Uint8Array): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) throw new JsonError('a byte order mark where JSON should begin', 1, 1);
  if (bytes.length === 0) throw new JsonError('the file is empty', 1, 1);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const good = new TextDecoder().decode(bytes);
    const { line, column } = lineAndColumn(good, good.indexOf('\ufffd'));
    throw new JsonError('bytes that are not UTF-8', line, column);
  }
}

/** Text → value. The engine's own parser, unless a number may not fit a double. Throws JsonError, also for a key that comes twice in one object. */
export function parseJson(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown;
    if (membersOf(value) === membersIn(text)) return value;
  } catch {
    // our own parser finds the place
  }
  return new Parser(text).document();
}

/** How many members a text has, by the quote and the colon between a name and its value; NaN where that cannot be told. */
function membersIn(text: string): number {
  if (spaces.some((space) => text.includes(`${space}:`)) && /"[ \t\n\r]+:/.test(text)) return Number.NaN;
  if (!text.includes('\\"')) return text.split('":').length - 1;
  // A quote with one backslash before it is within a string; with two it may be either.
  return text.includes('\\\\"') ? Number.NaN : text.split('":').length - text.split('\\":').length;
}

const spaces = [' ', '\t', '\n', '\r'];

/** How many members a value has, in all its objects: fewer than its text when a key came twice. NaN for an integer beyond 2^53 and for what is nested too deeply. */
function membersOf(value: unknown): number {
  let count = 0;
  let level = [[value]];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_LIMIT + 1) return Number.NaN;
    const below: unknown[][] = [];
    for (let n = 0; n < level.length; n++) {
      const items = level[n]!;
      for (let i = 0; i < items.length; i++) {
        const item = items[i];
        if (typeof item === 'string') continue;
        if (typeof item === 'object') {
          if (item === null) continue;
          if (Array.isArray(item)) below.push(item);
          else count += below[below.push(Object.values(item)) - 1]!.length;
        } else if (typeof item === 'number' && (item > LARGEST || item < -LARGEST)) {
          return Number.NaN;
        }
      }
    }
    level = below;
  }
  return count;
}

const LARGEST = Number.MAX_SAFE_INTEGER;

/** Value → text, the way back from parseJson: integers beyond 2^53 stay exact, members that are undefined are left out. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    return exactJson(value); // JSON.stringify takes no bigint
  }
}

function exactJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(exactJson).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${exactJson(member)}`).join(',')}}`;
}

/** Where the value of a JSON pointer begins; where there is none, its nearest ancestor. One pass, and nothing is kept but that. */
export function locate(text: string, pointer: string): { readonly line: number; readonly column: number } {
  const parser = new Parser(text, pointer);
  try {
    parser.document();
  } catch {
    // as far as it is JSON
  }
  return lineAndColumn(text, parser.found);
}

function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, Math.max(0, offset));
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
}

/** A string of RFC 8259, unrolled: a long one must not use up the matcher's stack. */
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;

/** A plain recursive descent over RFC 8259; slow beside JSON.parse, and only run when its precision is needed. */
class Parser {
  readonly #text: string;
  readonly #wanted: string | undefined;
  #at = 0;
  /** Where the wanted pointer's value begins, or the nearest of its ancestors. */
  found = 0;

  constructor(text: string, wanted?: string) {
    this.#text = text;
    this.#wanted = wanted;
  }

  document(): unknown {
    const value = this.#value(this.#wanted === undefined ? undefined : '', 0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#error('something after the end of the document');
    return value;
  }

  /** The pointer of a member, where it leads to the wanted one; undefined everywhere else: most of a document is only passed over. */
  #below(pointer: string | undefined, key: string): string | undefined {
    if (pointer === undefined) return undefined;
    const below = `${pointer}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`;
    return this.#wanted === below || this.#wanted!.startsWith(`${below}/`) ? below : undefined;
  }

  #value(pointer: string | undefined, depth: number): unknown {
    if (depth > DEPTH_LIMIT) throw this.#error(`nested deeper than ${DEPTH_LIMIT}`);
    this.#space();
    if (pointer !== undefined) this.found = this.#at;
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(pointer, depth);
    if (first === '[') return this.#array(pointer, depth);
    if (first === '"') return this.#string();
    for (const [word, value] of [['true', true], ['false', false], ['null', null]] as const) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#number();
  }

  #object(pointer: string | undefined, depth: number): unknown {
    const result: Record<string, unknown> = {};
    this.#at++;
    this.#space();
    if (this.#accept('}')) return result;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#error('expected a key in double quotes');
      const begin = this.#at;
      const key = this.#string();
      if (Object.hasOwn(result, key) && this.#wanted === undefined) {
        this.#at = begin;
        throw this.#error('', `the key ${JSON.stringify(key)} comes a second time in one object`);
      }
      this.#space();
      if (!this.#accept(':')) throw this.#error('expected ":"');
      const value = this.#value(this.#below(pointer, key), depth + 1);
      Object.defineProperty(result, key, { value, writable: true, enumerable: true, configurable: true });
      this.#space();
    } while (this.#accept(','));
    if (!this.#accept('}')) throw this.#error('expected "," or "}"');
    return result;
  }

  #array(pointer: string | undefined, depth: number): unknown {
    const result: unknown[] = [];
    this.#at++;
    this.#space();
    if (this.#accept(']')) return result;
    do {
      result.push(this.#value(pointer === undefined ? undefined : this.#below(pointer, String(result.length)), depth + 1));
      this.#space();
    } while (this.#accept(','));
    if (!this.#accept(']')) throw this.#error('expected "," or "]"');
    return result;
  }

  #string(): string {
    STRING.lastIndex = this.#at;
    const found = STRING.exec(this.#text);
    if (found === null) throw this.#error('a string that does not end, or an escape that is none');
    this.#at = STRING.lastIndex;
    return JSON.parse(found[0]) as string;
  }

  #number(): number | bigint {
    const match = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
    match.lastIndex = this.#at;
    const found = match.exec(this.#text);
    if (found === null) throw this.#error(this.#at >= this.#text.length ? 'the document ends too early' : 'expected a value');
    this.#at = match.lastIndex;
    const number = Number(found[0]);
    return found[1] === undefined && found[2] === undefined && !Number.isSafeInteger(number) ? BigInt(found[0]) : number;
  }

  #accept(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #error(what: string, shown?: string): JsonError {
    const { line, column } = lineAndColumn(this.#text, this.#at);
    const found = this.#at >= this.#text.length ? 'end of file' : JSON.stringify(this.#text[this.#at]);
    return new JsonError(shown ?? `${what}, found ${found}`, line, column);
  }
}
