// A connection to a D-Bus server on a unix socket: authentication, calls that wait for their reply, signals that came meanwhile.
import { closeSync } from 'node:fs';
import { AF_UNIX, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_STREAM } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, pollReadable, unixAddress } from '../../native/linux/syscalls.ts';
import { sleep } from '../sleep.ts';
import { decodeMessage, encodeCall, messageLength, type Message, type Target, type Value } from './message.ts';

const PATIENCE = 30_000; // milliseconds, as runc waits for a job
const BUSY_RETRIES = 20;

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
    this.#write(Buffer.from('\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n'));
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
    for (let rest = bytes; rest.length > 0; ) {
      const sent = call('sendto', this.#socket, rest, rest.length, MSG_NOSIGNAL, 0, 0);
      if (sent < 0) throw new BusError(errnoName(-sent), `sendto: ${errnoName(-sent)}`);
      rest = Buffer.from(rest.subarray(sent));
    }
  }

  /** The server's lines up to OK; what follows is messages. */
  #authenticate(): void {
    for (const deadline = Date.now() + PATIENCE; ; this.#read(deadline)) {
      const lines = this.#input.toString('latin1');
      const refused = /^REJECTED.*\r\n/m.exec(lines);
      if (refused !== null) throw new BusError('REJECTED', 'the D-Bus server does not take us for who we are');
      const accepted = /^OK [0-9a-f]*\r\n/m.exec(lines);
      if (accepted === null) continue;
      this.#input = this.#input.subarray(accepted.index + accepted[0].length);
      return;
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
    const left = deadline - Date.now();
    if (left <= 0 || !pollReadable(this.#socket, left)) throw new BusError('ETIMEDOUT', `no answer within ${PATIENCE / 1000} seconds`);
    const bytes = Buffer.alloc(8192);
    const length = call('read', this.#socket, bytes, bytes.length);
    if (length <= 0) throw new BusError('ECONNRESET', 'the D-Bus server closed the connection');
    this.#input = Buffer.concat([this.#input, bytes.subarray(0, length)]);
  }
}

/** EAGAIN: more clients are waiting than the server takes at a time. */
function connect(path: string): number {
  const socket = call('socket', AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw new BusError(errnoName(-socket), `socket: ${errnoName(-socket)}`);
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
