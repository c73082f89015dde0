// `NAME=value` → what systemd's manager takes: a property's name with a variant of the property's type.
import { typeOfProperty, type PropertyType } from '../compile/unit-properties.ts';
import type { Value, Variant } from './message.ts';

const INFINITY = 0xffff_ffff_ffff_ffffn;

/** One property. Throws Error for a name whose type is not known. */
export function propertyOf(assignment: string): readonly [name: string, value: Variant] {
  const at = assignment.indexOf('=');
  const name = assignment.slice(0, at);
  const type = typeOfProperty(name);
  if (type === undefined) throw new Error(`no property ${name}`);
  return [name, { type, value: valueOf(type, assignment.slice(at + 1)) }];
}

function valueOf(type: PropertyType, text: string): Value {
  switch (type) {
    case 's': return text;
    case 'b': return text === 'yes' || text === 'true' || text === '1';
    case 'as': return text.split(' ').filter((word) => word !== '');
    case 'ay': return bitMask(text);
    case 't': return text === 'infinity' ? INFINITY : BigInt(text);
    default: return Number(text);
  }
}

const LARGEST_NUMBER = 65535;

/** `0-2,8` → a byte array with these bits, lowest first. Numbers beyond any machine are left to the kernel to refuse. */
export function bitMask(list: string): readonly number[] {
  const bytes: number[] = [];
  for (const range of list.split(',')) {
    const [first, last = first] = range.split('-').map(Number);
    for (let bit = first!; bit <= Math.min(last!, LARGEST_NUMBER); bit++) {
      while (bytes.length <= bit >> 3) bytes.push(0);
      bytes[bit >> 3]! |= 1 << (bit & 7);
    }
  }
  return bytes;
}
