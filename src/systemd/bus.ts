// A connection to a D-Bus server on a unix socket: authentication, calls that wait for their reply, signals that came meanwhile.
import { closeSync } from 'node:fs';
import { AF_UNIX, MSG_NOSIGNAL, SO_RCVTIMEO, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, unixAddress, utf8 } from '../../native/linux/syscalls.ts';
import { sleep } from '../sleep.ts';
import { decodeMessage, encodeCall, messageLength, type Message, type Target, type Value } from './message.ts';

const PATIENCE = 30_000; // milliseconds, as runc waits for a job
const BUSY_RETRIES = 20;
const EAGAIN = 11; // errno.ts knows it too, but makes its tables for that

/** What a D-Bus server answered instead of a result. */
export class BusError extends Error {
  readonly busName: string;

  constructor(busName: string, message: string) {
    super(message);
    this.busName = busName;
  }
}

export class Bus {
  /** True for a message bus, which passes on only signals one asked for. */
  readonly isMessageBus: boolean;
  readonly #socket: number;
  #input = Buffer.alloc(0);
  #serial = 0;
  #signals: Message[] = [];
  readonly #replies = new Map<number, Message>();

  /**
   * Connects and authenticates as the user the socket itself shows (EXTERNAL without a name: a name would be wrong in a
   * user namespace). A message bus, unlike systemd's own socket, wants `Hello` first. Throws BusError, with the errno as
   * its name when nobody listens.
   */
  constructor(path: string, isMessageBus: boolean) {
    this.isMessageBus = isMessageBus;
    this.#socket = connect(path);
    this.#write(utf8('\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n'));
    const hello = isMessageBus ? this.#send({ destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus', member: 'Hello' }, '', []) : undefined;
    this.#authenticate();
    if (hello !== undefined) this.#reply(hello);
  }

  close(): void {
    closeSync(this.#socket);
  }

  /** Calls a method and waits for its reply: the values of its body. Throws BusError. */
  call(target: Target, signature = '', body: readonly Value[] = []): readonly Value[] {
    return this.#reply(this.#send(target, signature, body));
  }

  /** The first signal of this name that satisfies, also one that came before. Throws BusError when none comes in time. */
  signal(member: string, isWanted: (body: readonly Value[]) => boolean): readonly Value[] {
    const isIt = (message: Message): boolean => message.member === member && isWanted(message.body());
    for (const deadline = Date.now() + PATIENCE; ; this.#receive(deadline)) {
      const found = this.#signals.find(isIt);
      if (found === undefined) continue;
      this.#signals = this.#signals.filter((message) => message !== found);
      return found.body();
    }
  }

  #send(target: Target, signature: string, body: readonly Value[]): number {
    this.#write(encodeCall(++this.#serial, target, signature, body));
    return this.#serial;
  }

  #reply(serial: number): readonly Value[] {
    for (const deadline = Date.now() + PATIENCE; ; this.#receive(deadline)) {
      const message = this.#replies.get(serial);
      if (message === undefined) continue;
      this.#replies.delete(serial);
      if (message.kind === 'error') throw new BusError(message.errorName, String(message.body()[0] ?? message.errorName));
      return message.body();
    }
  }

  #write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) {
      const rest = done === 0 ? bytes : Buffer.from(bytes.subarray(done));
      const sent = call('sendto', this.#socket, rest, rest.length, MSG_NOSIGNAL, 0, 0);
      if (sent < 0) throw new BusError(errnoName(-sent), `sendto: ${errnoName(-sent)}`);
      done += sent;
    }
  }

  /** The server's lines up to OK; what follows is messages. */
  #authenticate(): void {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      this.#read(deadline);
      const lines = this.#input.toString('latin1');
      for (let at = 0, end: number; (end = lines.indexOf('\r\n', at)) >= 0; at = end + 2) {
        if (lines.startsWith('REJECTED', at)) throw new BusError('REJECTED', 'the D-Bus server does not take us for who we are');
        if (!lines.startsWith('OK ', at)) continue;
        this.#input = this.#input.subarray(end + 2);
        return;
      }
    }
  }

  /** Reads until one more message is whole, and puts it where it is looked for. */
  #receive(deadline: number): void {
    for (;;) {
      const length = messageLength(this.#input);
      if (length !== undefined && this.#input.length >= length) {
        const message = decodeMessage(this.#input.subarray(0, length));
        this.#input = this.#input.subarray(length);
        if (message.kind === 'signal') this.#signals.push(message);
        else if (message.kind !== 'call') this.#replies.set(message.replySerial, message);
        return;
      }
      this.#read(deadline);
    }
  }

  #read(deadline: number): void {
    const bytes = Buffer.alloc(8192);
    const length = Date.now() < deadline ? call('read', this.#socket, bytes, bytes.length) : -EAGAIN;
    if (length === -EAGAIN) throw new BusError('ETIMEDOUT', `no answer within ${PATIENCE / 1000} seconds`);
    if (length <= 0) throw new BusError('ECONNRESET', 'the D-Bus server closed the connection');
    this.#input = this.#input.length === 0 ? bytes.subarray(0, length) : Buffer.concat([this.#input, bytes.subarray(0, length)]);
  }
}

/** EAGAIN: more clients are waiting than the server takes at a time. */
function connect(path: string): number {
  const socket = call('socket', AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw new BusError(errnoName(-socket), `socket: ${errnoName(-socket)}`);
  // A read that nothing comes for ends by itself: that costs less than to ask before each whether something has come.
  const timeval = Buffer.alloc(16);
  timeval.writeUInt32LE(PATIENCE / 1000, 0);
  call('setsockopt', socket, SOL_SOCKET, SO_RCVTIMEO, timeval, timeval.length);
  const address = unixAddress(path);
  for (let attempt = 0; ; attempt++) {
    const connected = call('connect', socket, address, 2 + Buffer.byteLength(path) + 1);
    if (connected >= 0) return socket;
    const name = errnoName(-connected);
    if (name !== 'EAGAIN' || attempt === BUSY_RETRIES) {
      closeSync(socket);
      throw new BusError(name, `connect(${path}): ${name}`);
    }
    sleep(10);
  }
}
