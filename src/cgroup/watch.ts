// Waits for what the kernel announces of a cgroup (kernel doc cgroup-v2: cgroup.events and memory.events can be polled): nothing is spent in between.
import { AT_FDCWD, EPOLLPRI, EPOLL_CTL_ADD, O_CLOEXEC } from '../../native/linux/constants.ts';
import { call, text } from '../../native/linux/syscalls.ts';

export interface Watch {
  /** A file as it is now; undefined when it was never there, or the cgroup is gone. */
  readonly read: (file: string) => string | undefined;
  /** Until one of them has changed since it was read, or so many milliseconds have passed. */
  readonly wait: (milliseconds: number) => void;
}

const EVENT_BYTES = 16;

/** Watches files of the cgroup at `path`, until the process ends. */
export function watchCgroup(path: string, files: readonly string[]): Watch {
  const poll = call('epoll_create1', O_CLOEXEC);
  const event = Buffer.alloc(EVENT_BYTES);
  event.writeUInt32LE(EPOLLPRI, 0);
  const opened = new Map<string, number>();
  for (const file of files) {
    const fd = call('openat', AT_FDCWD, text(`${path}/${file}`), O_CLOEXEC, 0);
    if (fd < 0) continue;
    opened.set(file, fd);
    call('epoll_ctl', poll, EPOLL_CTL_ADD, fd, event);
  }
  const bytes = Buffer.alloc(4096);
  return {
    read: (file) => {
      const fd = opened.get(file);
      const length = fd === undefined ? -1 : call('pread64', fd, bytes, bytes.length, 0);
      return length < 0 ? undefined : bytes.toString('latin1', 0, length);
    },
    wait: (milliseconds) => void call('epoll_pwait', poll, Buffer.alloc(EVENT_BYTES), 1, Math.max(0, Math.ceil(milliseconds)), 0, 8),
  };
}
