// D-Bus messages (D-Bus Specification, "Message Protocol"): little-endian, the types systemd's manager uses, nothing that touches the machine.

/** A value by its type: numbers for y u i, bigint or number for t x, arrays for a, tuples for (), `Variant` for v. */
export type Value = number | bigint | string | boolean | Variant | readonly Value[];

export interface Variant {
  readonly type: string;
  readonly value: Value;
}

export interface Message {
  readonly kind: 'call' | 'reply' | 'error' | 'signal';
  readonly serial: number;
  readonly replySerial: number;
  readonly member: string;
  readonly errorName: string;
  /** Read when it is asked for: of most signals nobody wants to know. Throws on a damaged one. */
  readonly body: () => readonly Value[];
}

/** Where a call goes. */
export interface Target {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
}

const LITTLE = 'l'.charCodeAt(0);
const VERSION = 1;
const METHOD_CALL = 1;
const kinds = [undefined, 'call', 'reply', 'error', 'signal'] as const;
const field = { path: 1, interface: 2, member: 3, errorName: 4, replySerial: 5, destination: 6, signature: 8 } as const;
const alignments: Readonly<Record<string, number>> = { y: 1, b: 4, i: 4, u: 4, s: 4, o: 4, a: 4, t: 8, x: 8, '(': 8, g: 1, v: 1 };

/** One method call as bytes. Throws on a value that does not fit its type. */
export function encodeCall(serial: number, { destination, path, interface: name, member }: Target, signature: string, body: readonly Value[]): Buffer {
  const content = new Writer();
  splitTypes(signature).forEach((type, i) => content.put(type, body[i]!));
  const head = new Writer();
  const fields: Value[] = [
    [field.path, { type: 'o', value: path }], [field.interface, { type: 's', value: name }], [field.member, { type: 's', value: member }], [field.destination, { type: 's', value: destination }],
    ...(signature === '' ? [] : [[field.signature, { type: 'g', value: signature }]]),
  ];
  for (const byte of [LITTLE, METHOD_CALL, 0, VERSION]) head.put('y', byte);
  head.put('u', content.length);
  head.put('u', serial);
  head.put('a(yv)', fields);
  head.align(8);
  return Buffer.concat([head.bytes(), content.bytes()]);
}

const FIXED = 16;
const LARGEST_MESSAGE = 128 << 20;

/** How long the message at the start of these bytes is; undefined when even that has not arrived. Throws on what is no message. */
export function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length < FIXED) return undefined;
  if (bytes[0] !== LITTLE || bytes[3] !== VERSION) throw new Error('not a little-endian D-Bus message');
  const length = FIXED + ((bytes.readUInt32LE(12) + 7) & ~7) + bytes.readUInt32LE(4);
  if (length > LARGEST_MESSAGE) throw new Error('a D-Bus message that is too long');
  return length;
}

/** One whole message. Throws on a damaged header. */
export function decodeMessage(bytes: Buffer): Message {
  const reader = new Reader(bytes);
  reader.at = 12;
  const fields = new Map<number, Value>();
  for (const entry of reader.get('a(yv)') as readonly (readonly [number, Variant])[]) fields.set(entry[0], entry[1].value);
  reader.align(8);
  const start = reader.at;
  const body = (): readonly Value[] => {
    reader.at = start;
    return splitTypes(String(fields.get(field.signature) ?? '')).map((type) => reader.get(type));
  };
  const text = (key: number): string => String(fields.get(key) ?? '');
  return { kind: kinds[bytes[1]!] ?? 'signal', serial: bytes.readUInt32LE(8), replySerial: Number(fields.get(field.replySerial) ?? 0), member: text(field.member), errorName: text(field.errorName), body };
}

/** `ssa(sv)` → `s`, `s`, `a(sv)`: single complete types. */
function splitTypes(signature: string): readonly string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const start = at;
    while (signature[at] === 'a') at++;
    if (signature[at] === '(') {
      for (let depth = 0; at < signature.length; ) {
        if (signature[at] === '(') depth++;
        if (signature[at++] === ')' && --depth === 0) break;
      }
    } else at++;
    types.push(signature.slice(start, at));
  }
  return types;
}

class Writer {
  #bytes = Buffer.alloc(1024);
  #end = 0;

  get length(): number {
    return this.#end;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  align(to: number): void {
    this.#reserve(to);
    while (this.#end % to !== 0) this.#bytes[this.#end++] = 0;
  }

  put(type: string, value: Value): void {
    const code = type[0]!;
    this.align(alignments[code] ?? 1);
    if (code === 'a') return this.#array(type.slice(1), value as readonly Value[]);
    if (code === '(') return splitTypes(type.slice(1, -1)).forEach((member, i) => this.put(member, (value as readonly Value[])[i]!));
    if (code === 's' || code === 'o') return this.#text(String(value), 4);
    if (code === 'g') return this.#text(String(value), 1);
    if (code === 'v') {
      this.#text((value as Variant).type, 1);
      return this.put((value as Variant).type, (value as Variant).value);
    }
    this.#reserve(8);
    if (code === 'y') this.#bytes[this.#end] = Number(value);
    else if (code === 'i') this.#bytes.writeInt32LE(Number(value), this.#end);
    else if (code === 'u' || code === 'b') this.#bytes.writeUInt32LE(Number(value), this.#end);
    else this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value as bigint)), this.#end);
    this.#end += code === 'y' ? 1 : code === 't' || code === 'x' ? 8 : 4;
  }

  #array(type: string, items: readonly Value[]): void {
    const lengthAt = this.#end;
    this.put('u', 0);
    this.align(alignments[type[0]!] ?? 1); // counted from the first element, padding in front of it not
    const start = this.#end;
    for (const item of items) this.put(type, item);
    this.#bytes.writeUInt32LE(this.#end - start, lengthAt);
  }

  #text(text: string, lengthSize: 1 | 4): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length + 8);
    if (lengthSize === 1) this.#bytes[this.#end++] = length;
    else {
      this.#bytes.writeUInt32LE(length, this.#end);
      this.#end += 4;
    }
    this.#end += this.#bytes.write(text, this.#end);
    this.#bytes[this.#end++] = 0;
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#bytes.length) return;
    const larger = Buffer.alloc((this.#end + size) * 2);
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}

class Reader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  align(to: number): void {
    this.at += (to - (this.at % to)) % to;
  }

  get(type: string): Value {
    const code = type[0]!;
    this.align(alignments[code] ?? 1);
    if (code === 'a') return this.#array(type.slice(1));
    if (code === '(') return splitTypes(type.slice(1, -1)).map((member) => this.get(member));
    if (code === 's' || code === 'o') return this.#text(this.#bytes.readUInt32LE((this.at += 4) - 4));
    if (code === 'g') return this.#text(this.#bytes.readUInt8(this.at++));
    if (code === 'v') {
      const inner = this.#text(this.#bytes.readUInt8(this.at++));
      return { type: inner, value: this.get(inner) };
    }
    if (code === 'y') return this.#bytes.readUInt8(this.at++);
    this.at += code === 't' || code === 'x' ? 8 : 4;
    if (code === 't') return this.#bytes.readBigUInt64LE(this.at - 8);
    if (code === 'x') return this.#bytes.readBigInt64LE(this.at - 8);
    if (code === 'i') return this.#bytes.readInt32LE(this.at - 4);
    const number = this.#bytes.readUInt32LE(this.at - 4);
    return code === 'b' ? number !== 0 : number;
  }

  #array(type: string): Value[] {
    const length = this.#bytes.readUInt32LE((this.at += 4) - 4);
    this.align(alignments[type[0]!] ?? 1);
    const end = this.at + length;
    if (end > this.#bytes.length) throw new Error('an array that ends beyond its message');
    const items: Value[] = [];
    while (this.at < end) items.push(this.get(type));
    return items;
  }

  #text(length: number): string {
    if (this.at + length > this.#bytes.length) throw new Error('a text that ends beyond its message');
    const text = this.#bytes.toString('utf8', this.at, this.at + length);
    this.at += length + 1;
    return text;
  }
}
