// Image → listing, line by line as strace would write it. native/interpreter/dump.c prints the very same lines.
import { errnoName } from '../../native/linux/errno.ts';
import { AT_FDCWD, nameTables, type NameTable } from '../../native/linux/constants.ts';
import { pointee, readRecords, readText, slotName, type Argument, type Image, type RecordView } from './decode.ts';
import { kind } from './layout.ts';
import { ops, structs, type Format, type Member } from './ops.ts';

const CALL_WIDTH = 92;
const TEXT_LIMIT = 120;

/** The whole listing: a line per record with its side and its place in config.json, and a rule where the turn changes. */
export function printListing(image: Image): string {
  return readRecords(image).map((view) => `${printRecord(image, view)}\n`).join('');
}

/** One line of the listing. */
export function printRecord(image: Image, view: RecordView): string {
  if (view.op === 'hand_over') return `     ── hand over${travellersText(image, view)} ──`;
  const call = printStep(image, view);
  const line = `${String(view.index).padStart(4)} ${call.padEnd(CALL_WIDTH)} ${view.side.padEnd(9)} ${view.pointer}`;
  return line.trimEnd();
}

/** `$dev = openat2(…) tolerate ENOENT unless $x`: the step without its place. */
export function printStep(image: Image, view: RecordView): string {
  let text = printCall(image, view);
  if (view.result !== undefined) text = `$${view.result} = ${text}`;
  if (view.tolerate.length > 0) text += ` or ${view.tolerate.map(errnoName).join('|')}`;
  if (view.unless !== undefined) text += ` unless $${view.unless}`;
  if (view.needs !== undefined) text += ` if $${view.needs}`;
  return text;
}

/** `openat2($rootfs, "dev", {flags=O_PATH}, 24)`: the call alone, as error messages quote it. */
export function printCall(image: Image, view: RecordView): string {
  const formats = ops[view.op].formats;
  const args = formats.map((format, index) => printArgument(image, view, format, index));
  return `${view.op}(${args.join(', ')})`;
}

/** `, passing $dev`: what goes along with a hand-over. */
export function travellersText(image: Image, view: RecordView): string {
  const names = view.args.filter((arg) => arg.kind === kind.slot).map((arg) => `$${slotName(image, Number(arg.value))}`);
  return names.length === 0 ? '' : `, passing ${names.join(' ')}`;
}

function printArgument(image: Image, view: RecordView, format: Format, index: number): string {
  const argument = view.args[index]!;
  if (argument.kind === kind.null) return 'NULL';
  if (argument.kind === kind.slot) return `$${slotName(image, Number(argument.value))}`;
  const place = pointee(image, argument);
  if (place === undefined) return printNumber(format, argument.value);
  const { bytes } = image;
  if (format === 'text') return quote(bytes, place.offset, bytes.indexOf(0, place.offset) - place.offset);
  const next: Argument | undefined = view.args[index + 1];
  if (format === 'data' && next?.kind === kind.immediate) return quote(bytes, place.offset, Number(next.value));
  if (format === 'words') return printWords(image, place.offset);
  if (format.startsWith('struct ')) return printStruct(image, view, place.offset, format.slice(7) as keyof typeof structs);
  return format === 'bytes' ? '<bytes>' : '<memory>';
}

function printWords(image: Image, offset: number): string {
  const shown: string[] = [];
  for (let at = offset; at + 8 <= image.bytes.length; at += 8) {
    const address = image.bytes.readBigUInt64LE(at);
    if (address === 0n) break;
    const text = Number(address) - image.base;
    shown.push(quote(image.bytes, text, image.bytes.indexOf(0, text) - text));
  }
  return `[${shown.join(', ')}]`;
}

function printStruct(image: Image, view: RecordView, offset: number, name: keyof typeof structs): string {
  const shown: string[] = [];
  let at = offset;
  for (const [member, size, format] of structs[name] as readonly Member[]) {
    if (view.fixup?.offset === at) shown.push(`${member}=$${view.fixup.slot}`);
    else if (format === 'text') shown.push(`${member}=${quote(image.bytes, at, readText(image.bytes, at).length)}`);
    else if (size <= 8) {
      let value = 0n;
      for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(image.bytes[at + i]!);
      if (value !== 0n) shown.push(`${member}=${printNumber(format, value)}`);
    }
    at += size;
  }
  return `{${shown.join(', ')}}`;
}

function printNumber(format: Format, value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  if (format === 'fd' && signed === BigInt(AT_FDCWD)) return 'AT_FDCWD';
  if (format === 'octal') return `0${value.toString(8)}`;
  if (format === 'device') return printDevice(value);
  if (format === 'errno') return errnoName(Number(signed));
  if (format.startsWith('name ')) return printNamed(format.slice(5) as NameTable, value);
  if (format === 'hex') return `0x${value.toString(16)}`;
  return String(signed);
}

/** makedev(3) undone. */
function printDevice(value: bigint): string {
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn);
  const minor = (value & 0xffn) | ((value >> 12n) & ~0xffn);
  return `makedev(${major}, ${minor})`;
}

function printNamed(tableName: NameTable, value: bigint): string {
  const table: { readonly kind: 'flags' | 'enum'; readonly names: Readonly<Record<string, number>> } = nameTables[tableName];
  if (table.kind === 'enum') {
    for (const [name, number] of Object.entries(table.names)) if (BigInt(number) === value) return name;
    return `0x${value.toString(16)}`;
  }
  const shown: string[] = [];
  let rest = value;
  for (const [name, number] of Object.entries(table.names)) {
    const bits = BigInt.asUintN(64, BigInt(number));
    if ((rest & bits) !== bits) continue;
    shown.push(name);
    rest &= ~bits;
  }
  if (rest !== 0n || shown.length === 0) shown.push(rest === 0n ? '0' : `0x${rest.toString(16)}`);
  return shown.join('|');
}

function quote(bytes: Buffer, offset: number, length: number): string {
  let text = '';
  for (let i = 0; i < Math.min(length, TEXT_LIMIT); i++) {
    const byte = bytes[offset + i]!;
    if (byte === 0x0a) text += '\\n';
    else if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte < 0x20 || byte >= 0x7f) text += `\\x${byte.toString(16).padStart(2, '0')}`;
    else text += String.fromCharCode(byte);
  }
  return `"${text}"${length > TEXT_LIMIT ? '…' : ''}`;
}
