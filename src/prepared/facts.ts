// What differs from container to container for the prepared programs: <state directory>/facts, written by create, read by their first steps.
// All integers are little-endian; texts end in NUL. container/facts.ts writes it.
import type { Out } from '../program/step.ts';

/** Another layout gets another number, and a file of another layout is left to the engine. */
export const MAGIC = 'runtfct1';

/** Room for texts, with their NUL. A container whose own are longer has no facts. */
export const room = { socket: 110, cgroup: 1024, stat: 24, candidates: 8 } as const;

/** Byte offsets. */
export const fact = {
  magic: 0,
  /** u64 each: the pid of init, and when it started, in clock ticks (proc_pid_stat(5), field 22). */
  pid: 8,
  startTime: 16,
  /** Bytes, 1 for yes. It has a pid namespace of its own, which dies with init. */
  privatePidNamespace: 24,
  /** No poststart hook. */
  startsPlainly: 25,
  /** No poststop hook, no systemd unit, no class of resctrl. */
  endsPlainly: 26,
  /** Its limits are plain (limits.ts), and no systemd unit has them too. */
  limitsPlainly: 27,
  /** Its reports are here: they have room. */
  reportsPlainly: 28,
  /** Which state.json this was made with: its inode and size, and when that inode was last changed, as statx(2) has them. */
  stateInode: 32,
  stateChanged: 48,
  /** u64 each, 0 for none: where in the program file the records of execve say what became of them. */
  candidates: 64,
  /** What `state` prints, by status: offset and length in this file, u64 each. */
  reports: 128,
  /** /proc/PID/stat. */
  stat: 192,
  /** struct sockaddr_un of the gate (unix(7)). */
  socket: 216,
  /** The cgroup's directory; empty without one. */
  cgroup: 328,
  bytes: 328 + 1024,
} as const;

/** Bytes of the longest report that has room: a container with more annotations than that is reported by the engine. */
export const longestReport = 32 * 1024;

/** The gate's socket in the state directory, while a container is `created`. */
export const GATE = 'start.sock';

/** In the order of `reports`. */
export const reported = ['created', 'running', 'paused', 'stopped'] as const;

/** The file in memory, from its beginning or from one of its facts. */
export const facts = (offset = 0): Out => ({ out: 'facts', size: fact.bytes, offset });
