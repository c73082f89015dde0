// Writes <state directory>/facts: what the prepared programs must know of one container (prepared/facts.ts), so that state, start, kill,
// delete, pause, resume and update need no engine. A container without it, or with another state.json, is the engine's.
import { writeFileSync } from 'node:fs';
import { AF_UNIX, AT_FDCWD, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, statx } from '../../native/linux/constants.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import type { Config } from '../../spec/config.ts';
import { fact, longestReport, MAGIC, reported, room } from '../prepared/facts.ts';
import { arePlain } from '../prepared/limits.ts';
import { opOf, recordOffset, type Image } from '../program/decode.ts';
import { record } from '../program/layout.ts';
import { gateOf, type ContainerState } from './state.ts';
import { stateReport } from './state-report.ts';

/** Writes the facts of a container that has just been created, and whose state.json is written; none when they have no room; of annotations that have none, the reports alone are missing. */
export function writeFacts(directory: string, state: ContainerState, image: Image, { annotations, linux }: Config): void {
  // Loops and words of 32 bits, as in the encoder: what an engine compiles at its first use costs more than all this.
  const reports = reportsOf(state, annotations);
  let size: number = fact.bytes;
  for (const report of reports) size += Buffer.byteLength(report);
  const cgroup = state.cgroup === null ? '' : state.cgroup.path;
  const socket = gateOf(directory);
  const candidates = executions(image);
  if (Buffer.byteLength(cgroup) >= room.cgroup || Buffer.byteLength(socket) + 2 >= room.socket || candidates.length > room.candidates) return;
  const stat = Buffer.alloc(statx.bytes);
  if (call('statx', AT_FDCWD, text(`${directory}/state.json`), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, stat) < 0) return;

  const bytes = Buffer.alloc(size);
  const put = (offset: number, value: number): void => {
    bytes.writeUInt32LE(value % 0x1_0000_0000, offset);
    bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), offset + 4);
  };
  bytes.write(MAGIC, fact.magic, 'latin1');
  put(fact.pid, state.pid);
  put(fact.startTime, Number(state.startTime));
  bytes[fact.privatePidNamespace] = Number(state.privatePidNamespace);
  bytes[fact.startsPlainly] = Number(!state.hooks.poststart);
  bytes[fact.endsPlainly] = Number(endsPlainly(state));
  bytes[fact.reportsPlainly] = Number(reports.length > 0);
  bytes[fact.limitsPlainly] = Number(state.cgroup?.unit === undefined && arePlain(linux?.resources));
  stat.copy(bytes, fact.stateInode, statx.inodeAndSize, statx.inodeAndSize + statx.inodeAndSizeBytes);
  stat.copy(bytes, fact.stateChanged, statx.changed, statx.changed + statx.changedBytes);
  for (let i = 0; i < candidates.length; i++) put(fact.candidates + 8 * i, candidates[i]!);
  bytes.write(`/proc/${state.pid}/stat`, fact.stat, 'latin1');
  bytes.writeUInt16LE(AF_UNIX, fact.socket);
  bytes.write(socket, fact.socket + 2, 'utf8');
  bytes.write(cgroup, fact.cgroup, 'utf8');
  let end: number = fact.bytes;
  for (let i = 0; i < reports.length; i++) {
    const length = bytes.write(reports[i]!, end, 'utf8');
    put(fact.reports + 16 * i, end);
    put(fact.reports + 16 * i + 8, length);
    end += length;
  }
  writeFileSync(`${directory}/facts`, bytes, { mode: 0o600 });
}

/** What `state` prints, by status; nothing when one of them is too long. */
function reportsOf(state: ContainerState, annotations: Config['annotations']): readonly string[] {
  const reports: string[] = [];
  if (areLong(annotations)) return reports;
  for (const status of reported) reports.push(stateReport(state, annotations, status));
  return reports.some((report) => Buffer.byteLength(report) > longestReport) ? [] : reports;
}

/** Whether annotations alone are longer than a report may be: found out without making one, of megabytes. */
function areLong(annotations: Config['annotations']): boolean {
  let length = 0;
  for (const key in annotations) {
    length += key.length + annotations[key]!.length;
    if (length > longestReport) return true;
  }
  return false;
}

/** Whether a prepared `delete` can take it away: no hook, no unit of systemd to stop, no class of resctrl. */
export function endsPlainly(state: ContainerState): boolean {
  return !state.hooks.poststop && state.cgroup?.unit === undefined && state.resctrl !== true;
}

/** Where the records of execve, which end the program, have their status. */
function executions(image: Image): readonly number[] {
  const offsets: number[] = [];
  for (let index = image.recordCount - 1; index >= 0 && opOf(image, index) === 'execve'; index--) offsets.push(recordOffset(image, index) + record.status);
  return offsets;
}
