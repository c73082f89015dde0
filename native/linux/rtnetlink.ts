// rtnetlink(7): links and addresses of a network namespace, over a socket that was made inside it.
import { errnoName } from './errno.ts';
import { call } from './syscalls.ts';

const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_CREATE = 0x400;
const NLM_F_EXCL = 0x200;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const IFLA_IFNAME = 3;
const IFLA_NET_NS_PID = 19;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
const IFA_F_PERMANENT = 0x80;
const RT_SCOPE_UNIVERSE = 0;
const IFF_UP = 1;
const HEADER = 16; // struct nlmsghdr
const LINK = 16; // struct ifinfomsg
const ADDRESS = 8; // struct ifaddrmsg

/** An address as the kernel gave it: what a new one of the same kind is made of. */
export interface Address {
  readonly family: number;
  readonly prefix: number;
  readonly attributes: readonly Attribute[];
}

type Attribute = readonly [type: number, value: Uint8Array];

/** Index by name of every link, or -errno. */
export function links(socket: number): ReadonlyMap<string, number> | number {
  const answers = exchange(socket, RTM_GETLINK, NLM_F_DUMP, Buffer.alloc(LINK), []);
  if (typeof answers === 'number') return answers;
  const found = new Map<string, number>();
  for (const body of answers.filter(({ type }) => type === RTM_NEWLINK).map((answer) => answer.body)) {
    const name = attributesOf(body, LINK).find(([type]) => type === IFLA_IFNAME)?.[1];
    if (name !== undefined) found.set(Buffer.from(name).toString('latin1').replace(/\0.*$/s, ''), body.readInt32LE(4));
  }
  return found;
}

/** The permanent addresses of global scope that a link has, or -errno: those of the kernel's own making come again by themselves. */
export function globalAddresses(socket: number, index: number): readonly Address[] | number {
  const answers = exchange(socket, RTM_GETADDR, NLM_F_DUMP, Buffer.alloc(ADDRESS), []);
  if (typeof answers === 'number') return answers;
  return answers.filter(({ type, body }) => type === RTM_NEWADDR && body.readInt32LE(4) === index && body[3] === RT_SCOPE_UNIVERSE).flatMap(({ body }) => {
    const all = attributesOf(body, ADDRESS);
    const wide = all.find(([type]) => type === IFA_FLAGS)?.[1];
    const flags = wide === undefined ? body[2]! : Buffer.from(wide).readUInt32LE(0);
    const attributes = all.filter(([type]) => type === IFA_ADDRESS || type === IFA_LOCAL || type === IFA_BROADCAST);
    return (flags & IFA_F_PERMANENT) === 0 ? [] : [{ family: body[0]!, prefix: body[1]!, attributes }];
  });
}

/** Moves a link into the network namespace of a process, under a name (`%d` is filled in by the kernel): 0 or -errno. */
export function moveLink(socket: number, index: number, name: string, pid: number): number {
  const target = Buffer.alloc(4);
  target.writeUInt32LE(pid);
  return acknowledged(exchange(socket, RTM_SETLINK, NLM_F_ACK, linkMessage(index), [[IFLA_NET_NS_PID, target], [IFLA_IFNAME, Buffer.from(`${name}\0`)]]));
}

/** Gives a link an address: 0 or -errno. */
export function addAddress(socket: number, index: number, { family, prefix, attributes }: Address): number {
  const body = Buffer.alloc(ADDRESS);
  body[0] = family;
  body[1] = prefix;
  body.writeInt32LE(index, 4);
  return acknowledged(exchange(socket, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, body, attributes));
}

/** Sets a link up: 0 or -errno. */
export function setLinkUp(socket: number, index: number): number {
  const body = linkMessage(index);
  body.writeUInt32LE(IFF_UP, 8);
  body.writeUInt32LE(IFF_UP, 12);
  return acknowledged(exchange(socket, RTM_SETLINK, NLM_F_ACK, body, []));
}

function linkMessage(index: number): Buffer {
  const body = Buffer.alloc(LINK);
  body.writeInt32LE(index, 4);
  return body;
}

interface Answer {
  readonly type: number;
  readonly body: Buffer;
}

const acknowledged = (answers: readonly Answer[] | number): number => (typeof answers === 'number' ? answers : 0);

let sequence = 0;

/** One request and all that answers it, up to NLMSG_DONE or the acknowledgement; or -errno. */
function exchange(socket: number, type: number, flags: number, body: Buffer, attributes: readonly Attribute[]): readonly Answer[] | number {
  const number = ++sequence;
  const tail = Buffer.concat(attributes.map(([attribute, value]) => {
    const padded = Buffer.alloc(4 + ((value.length + 3) & ~3));
    padded.writeUInt16LE(4 + value.length, 0);
    padded.writeUInt16LE(attribute, 2);
    padded.set(value, 4);
    return padded;
  }));
  const head = Buffer.alloc(HEADER);
  head.writeUInt32LE(HEADER + body.length + tail.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(flags | NLM_F_REQUEST, 6);
  head.writeUInt32LE(number, 8);
  const message = Buffer.concat([head, body, tail]);
  const sent = call('write', socket, message, message.length);
  if (sent < 0) return sent;
  const answers: Answer[] = [];
  const bytes = Buffer.alloc(65536);
  for (;;) {
    const length = call('read', socket, bytes, bytes.length);
    if (length < 0) return length;
    for (let at = 0; at + HEADER <= length; ) {
      const size = bytes.readUInt32LE(at);
      if (size < HEADER || at + size > length) throw new Error(`netlink: a message of ${size} bytes (${errnoName(74)})`);
      const answer = { type: bytes.readUInt16LE(at + 4), body: Buffer.from(bytes.subarray(at + HEADER, at + size)) };
      const isOurs = bytes.readUInt32LE(at + 8) === number;
      at += (size + 3) & ~3;
      if (!isOurs) continue;
      if (answer.type === NLMSG_DONE) return answers;
      if (answer.type === NLMSG_ERROR) return answer.body.readInt32LE(0) === 0 ? answers : answer.body.readInt32LE(0);
      answers.push(answer);
    }
  }
}

function attributesOf(body: Buffer, from: number): readonly Attribute[] {
  const found: Attribute[] = [];
  for (let at = from; at + 4 <= body.length; ) {
    const size = body.readUInt16LE(at);
    if (size < 4 || at + size > body.length) break;
    found.push([body.readUInt16LE(at + 2) & 0x3fff, body.subarray(at + 4, at + size)]);
    at += (size + 3) & ~3;
  }
  return found;
}
