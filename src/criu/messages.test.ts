import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeAnswer, encodeRequest, requestType } from './messages.ts';

const test = suite('criu messages');
const hex = (text: string): Buffer => Buffer.from(text.replace(/ /g, ''), 'hex');

test('a request: numbers, switches, texts, lists, messages within', () => {
  const request = encodeRequest(requestType.dump, { images_dir_fd: 300, leave_running: true, log_file: 'dump.log', ps: undefined, external: ['a', 'bc'], ext_mnt: [{ 1: '/a', 2: 'b' }] });
  assert.is(request.toString('hex'), hex('08 01 12 22 08ac02 1801 5208 64756d702e6c6f67 aa0201 61 aa0202 6263 ba0107 0a022f61 120162').toString('hex'));
});
test('an answer to a notification has success and nothing else', () => assert.is(encodeRequest(requestType.notify).toString('hex'), '08061801'));
test('an answer: restored pid, notification, a negative errno', () => {
  assert.equal(decodeAnswer(hex('0802 1001 2203 08c801')), { type: 2, success: true, restored: 200, notification: undefined, errno: 0, message: '' });
  assert.equal(decodeAnswer(hex('0806 1001 2a08 0a04 6f6f7073 1005')).notification, { script: 'oops', pid: 5 });
  assert.is(decodeAnswer(hex('0801 1000 38 eaffffffffffffffff01 4a03 626164')).errno, 22);
  assert.is(decodeAnswer(hex('0801 1000 4a03 626164')).message, 'bad');
});
test('bytes that are no answer are refused', () => {
  assert.throws(() => decodeAnswer(hex('220308')), /cut off/);
  assert.throws(() => decodeAnswer(hex('09')), /wire type 1/);
});
test.run();
