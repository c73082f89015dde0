// A connection to a D-Bus server of the test's own: however its answers are cut, and whatever they say.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { koffi } from '../../native/linux/koffi.ts';
import { Bus, BusError } from './bus.ts';

koffi(); // as the verbs do that use it
const test = suite('systemd bus');
const work = mkdtempSync(join(tmpdir(), 'bus-'));
test.after(() => rmSync(work, { recursive: true }));

const target = { destination: 'a.b', path: '/p', interface: 'i.f', member: 'Do' };
const RETURN = 2, ERROR = 3, SIGNAL = 4;

/** A message of a server with a text: the signal Do, or an answer to the first call (D-Bus Specification, "Message Format"). */
function message(kind: number, text: string): Buffer {
  const about = kind === SIGNAL ? [3, 1, 0x73, 0, 2, 0, 0, 0, 0x44, 0x6f, 0, 0, 0, 0, 0, 0] : [5, 1, 0x75, 0, 1, 0, 0, 0];
  const fields = [...about, 8, 1, 0x67, 0, 1, 0x73, 0];
  const head = Buffer.alloc(16 + 8 * Math.ceil(fields.length / 8));
  const body = Buffer.alloc(4 + text.length + 1);
  body.writeUInt32LE(text.length);
  body.write(text, 4);
  head.set(['l'.charCodeAt(0), kind, 0, 1]);
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(1, 8);
  head.writeUInt32LE(fields.length, 12);
  head.set(fields, 16);
  return Buffer.concat([head, body]);
}

/** A server that answers what comes with these pieces, each after its own moment, then waits or closes. It ends with its first client. */
function server(name: string, pieces: readonly (string | Buffer)[], closes = false): string {
  const path = join(work, name);
  const script = `const pieces = ${JSON.stringify(pieces.map((piece) => Buffer.from(piece).toString('base64')))}.map((one) => Buffer.from(one, 'base64'));
    require('node:net').createServer((socket) => {
      let sent = false;
      socket.on('error', () => {}).on('close', () => process.exit()).on('data', async () => {
        if (sent) return;
        sent = true;
        for (const piece of pieces) { socket.write(piece); await new Promise((done) => setTimeout(done, 1)); }
        if (${String(closes)}) socket.end();
      });
    }).listen(${JSON.stringify(path)})`;
  spawn(process.execPath, ['-e', script], { stdio: 'ignore' }).unref();
  while (!existsSync(path)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  return path;
}

const cut = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.from([byte]));
const WELCOME = 'DATA\r\nOK 0123456789abcdef\r\n';

test('answers byte by byte, and a signal before them', () => {
  const bus = new Bus(server('cut', [...cut(Buffer.from(WELCOME)), ...cut(message(SIGNAL, 'before')), ...cut(message(RETURN, 'done'))]), false);
  assert.equal(bus.call(target), ['done']);
  assert.equal(bus.signal('Do', ([text]) => text === 'before'), ['before']);
  bus.close();
});

test('answers all at once', () => {
  const bus = new Bus(server('once', [Buffer.concat([Buffer.from(WELCOME), message(RETURN, 'done')])]), false);
  assert.equal(bus.call(target, 's', ['x'.repeat(300_000)]), ['done']);
  bus.close();
});

test('what a server refuses, says, or does not say', () => {
  const named = (name: string) => (error: unknown): boolean => error instanceof BusError && error.busName === name;
  assert.throws(() => new Bus(server('refuses', ['DATA\r\nREJECTED EXTERNAL\r\n']), false), named('REJECTED'));
  assert.throws(() => new Bus(server('closes', ['DATA\r\nO'], true), false), named('ECONNRESET'));
  assert.throws(() => new Bus(join(work, 'nobody'), false), named('ENOENT'));
  const bus = new Bus(server('fails', [WELCOME, message(ERROR, 'no')]), false);
  assert.throws(() => bus.call(target), /^no$/);
  bus.close();
});

test.run();
