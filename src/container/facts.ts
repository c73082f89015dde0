// Writes <state directory>/facts: what the prepared programs must know of one container (prepared/facts.ts), so that state, start, kill,
// delete, pause and resume need no engine. A container without it, or with another state.json, is the engine's.
import { writeFileSync } from 'node:fs';
import { AF_UNIX, AT_FDCWD, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS } from '../../native/linux/constants.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { fact, longestReport, MAGIC, reported, room } from '../prepared/facts.ts';
import { opOf, recordOffset, type Image } from '../program/decode.ts';
import { record } from '../program/layout.ts';
import { gateOf, type ContainerState } from './state.ts';
import { stateReport } from './state-report.ts';

// struct statx (statx(2))
const STATX_BYTES = 256;
const INODE = 32;
const INODE_AND_SIZE_BYTES = 16;
const CTIME = 96;
const CTIME_BYTES = 12;

/** Writes the facts of a container that has just been created, and whose state.json is written; none when they have no room. */
export function writeFacts(directory: string, state: ContainerState, image: Image): void {
  const reports = reported.map((status) => Buffer.from(stateReport(state, status)));
  const cgroup = Buffer.from(state.cgroup?.path ?? '');
  const socket = Buffer.from(gateOf(directory));
  const candidates = executions(image);
  if (cgroup.length >= room.cgroup || socket.length + 2 >= room.socket || candidates.length > room.candidates || reports.some(({ length }) => length > longestReport)) return;
  const bytes = Buffer.alloc(fact.bytes);
  const put = (offset: number, value: number | bigint): void => void bytes.writeBigUInt64LE(BigInt(value), offset);
  put(fact.magic, MAGIC);
  put(fact.pid, state.pid);
  put(fact.startTime, BigInt(state.startTime));
  bytes[fact.privatePidNamespace] = Number(state.privatePidNamespace);
  bytes[fact.startsPlainly] = Number(!state.hooks.poststart);
  bytes[fact.endsPlainly] = Number(!state.hooks.poststop && state.cgroup?.unit === undefined && state.resctrl !== true);
  const stat = Buffer.alloc(STATX_BYTES);
  if (call('statx', AT_FDCWD, text(`${directory}/state.json`), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, stat) < 0) return;
  stat.copy(bytes, fact.stateInode, INODE, INODE + INODE_AND_SIZE_BYTES);
  stat.copy(bytes, fact.stateChanged, CTIME, CTIME + CTIME_BYTES);
  candidates.forEach((offset, index) => put(fact.candidates + 8 * index, offset));
  let end: number = fact.bytes;
  reports.forEach(({ length }, index) => {
    put(fact.reports + 16 * index, end);
    put(fact.reports + 16 * index + 8, length);
    end += length;
  });
  bytes.write(`/proc/${state.pid}/stat`, fact.stat);
  bytes.writeUInt16LE(AF_UNIX, fact.socket);
  socket.copy(bytes, fact.socket + 2);
  cgroup.copy(bytes, fact.cgroup);
  writeFileSync(`${directory}/facts`, Buffer.concat([bytes, ...reports]), { mode: 0o600 });
}

/** Where the records of execve, which end the program, have their status. */
function executions(image: Image): readonly number[] {
  const offsets: number[] = [];
  for (let index = image.recordCount - 1; index >= 0 && opOf(image, index) === 'execve'; index--) offsets.push(recordOffset(image, index) + record.status);
  return offsets;
}
