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

/** Text → value. The engine's own parser, unless a number may not fit a double. Throws JsonError. */
export function parseJson(text: string): unknown {
  try {
    if (!/\d{16}/.test(text)) return JSON.parse(text) as unknown;
  } catch {
    // our own parser finds the place
  }
  return new Parser(text).document();
}

/** Value → text, the way back from parseJson: integers beyond 2^53 stay exact, members that are undefined are left out. */
export function stringifyJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(stringifyJson).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${stringifyJson(member)}`).join(',')}}`;
}

/** Where the value of a JSON pointer begins; where there is none, its nearest ancestor. */
export function locate(text: string, pointer: string): { readonly line: number; readonly column: number } {
  const places = new Map<string, number>();
  try {
    new Parser(text, places).document();
  } catch {
    return { line: 1, column: 1 };
  }
  let at = pointer;
  while (at !== '' && !places.has(at)) at = at.slice(0, at.lastIndexOf('/'));
  return lineAndColumn(text, places.get(at) ?? 0);
}

function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, Math.max(0, offset));
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
}

/** A plain recursive descent over RFC 8259; slow beside JSON.parse, and only run when its precision is needed. */
class Parser {
  readonly #text: string;
  readonly #places: Map<string, number> | undefined;
  #at = 0;

  constructor(text: string, places?: Map<string, number>) {
    this.#text = text;
    this.#places = places;
  }

  document(): unknown {
    const value = this.#value('', 0);
    this.#space();
    if (this.#at < this.#text.length) throw this.#error('something after the end of the document');
    return value;
  }

  #value(pointer: string, depth: number): unknown {
    if (depth > DEPTH_LIMIT) throw this.#error(`nested deeper than ${DEPTH_LIMIT}`);
    this.#space();
    this.#places?.set(pointer, this.#at);
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

  #object(pointer: string, depth: number): unknown {
    const result: Record<string, unknown> = {};
    this.#at++;
    this.#space();
    if (this.#accept('}')) return result;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') throw this.#error('expected a key in double quotes');
      const key = this.#string();
      this.#space();
      if (!this.#accept(':')) throw this.#error('expected ":"');
      const value = this.#value(`${pointer}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`, depth + 1);
      Object.defineProperty(result, key, { value, writable: true, enumerable: true, configurable: true });
      this.#space();
    } while (this.#accept(','));
    if (!this.#accept('}')) throw this.#error('expected "," or "}"');
    return result;
  }

  #array(pointer: string, depth: number): unknown {
    const result: unknown[] = [];
    this.#at++;
    this.#space();
    if (this.#accept(']')) return result;
    do {
      result.push(this.#value(`${pointer}/${result.length}`, depth + 1));
      this.#space();
    } while (this.#accept(','));
    if (!this.#accept(']')) throw this.#error('expected "," or "]"');
    return result;
  }

  #string(): string {
    const match = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
    match.lastIndex = this.#at;
    const found = match.exec(this.#text);
    if (found === null) throw this.#error('a string that does not end, or an escape that is none');
    this.#at = match.lastIndex;
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

  #error(what: string): JsonError {
    const { line, column } = lineAndColumn(this.#text, this.#at);
    const found = this.#at >= this.#text.length ? 'end of file' : JSON.stringify(this.#text[this.#at]);
    return new JsonError(`${what}, found ${found}`, line, column);
  }
}
