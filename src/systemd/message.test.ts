// D-Bus messages byte for byte, and what comes of those that are damaged.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeMessage, encodeCall, messageLength, type Value } from './message.ts';
import { bitMask, propertyOf } from './properties.ts';

const test = suite('systemd messages');
const target = { destination: 'a.b', path: '/p', interface: 'i.f', member: 'Do' };

test('a call is what the specification says, byte for byte', () => {
  const fields = ['01016f00 02000000 2f700000 00000000', '02017300 03000000 692e6600 00000000', '03017300 02000000 446f0000 00000000', '06017300 03000000 612e6200 00000000', '08016700 02737500'];
  const expected = ['6c010001 0c000000 07000000 48000000', ...fields, '01000000 78000000 05000000'];
  assert.is(encodeCall(7, target, 'su', ['x', 5]).toString('hex'), expected.join('').replaceAll(' ', ''));
});

/** A reply with this body, as a server would send it: the header of a call serves, with its kind changed. */
function sent(signature: string, body: readonly Value[]): Buffer {
  const bytes = Buffer.from(encodeCall(1, target, signature, body));
  bytes[1] = 2;
  return bytes;
}

test('every type comes back as it went', () => {
  const body: Value[] = ['text', 'ünï', '/path', -5, 4000000000, 0xffff_ffff_ffff_ffffn, true, [1, 2, 255], ['a', ''], [['Name', { type: 't', value: 9n }], ['Other', { type: 'as', value: ['x'] }]], [], 7];
  const message = decodeMessage(sent('ssoiutbayasa(sv)a(sa(sv))y', body));
  assert.equal(message.body(), body);
  assert.is(message.kind, 'reply');
  assert.is(message.member, 'Do');
});
test('how long a message is', () => {
  const bytes = sent('s', ['abc']);
  assert.is(messageLength(bytes.subarray(0, 15)), undefined);
  assert.is(messageLength(bytes.subarray(0, 16)), bytes.length);
});
test('damaged messages throw, and a body is not read before it is wanted', () => {
  assert.throws(() => messageLength(Buffer.alloc(16)), /not a little-endian/);
  const huge = sent('s', ['abc']);
  huge.writeUInt32LE(0xfff0_0000, 4);
  assert.throws(() => messageLength(huge), /too long/);
  const cut = sent('s', ['abc']);
  cut.writeUInt32LE(1000, cut.length - 8);
  const message = decodeMessage(cut);
  assert.throws(() => message.body(), /beyond its message/);
});

test('properties by their type', () => {
  assert.equal(propertyOf('MemoryMax=infinity'), ['MemoryMax', { type: 't', value: 0xffff_ffff_ffff_ffffn }]);
  assert.equal(propertyOf('Delegate=yes'), ['Delegate', { type: 'b', value: true }]);
  assert.equal(propertyOf('Description=a=b c'), ['Description', { type: 's', value: 'a=b c' }]);
  assert.equal(propertyOf('Wants=a.slice'), ['Wants', { type: 'as', value: ['a.slice'] }]);
  assert.equal(propertyOf('AllowedCPUs=0'), ['AllowedCPUs', { type: 'ay', value: [1] }]);
  assert.throws(() => propertyOf('ExecStart=/bin/sh'), /no property/);
});
test('a list of numbers as a bit mask, lowest first', () => {
  assert.equal(bitMask('0-2,8'), [7, 1]);
  assert.equal(bitMask('5'), [32]);
  assert.is(bitMask('0-99999999').length, 8192);
});

test.run();
