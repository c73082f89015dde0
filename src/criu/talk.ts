// A conversation with `criu swrk` (criu.org/RPC): one request, notifications on the way, one answer; its log when it refuses.
import { accessSync, closeSync, constants, readFileSync } from 'node:fs';
import { errnoName } from '../../native/linux/errno.ts';
import { receiveMessage, sendMessage } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { decodeAnswer, encodeRequest, requestType, type Answer, type Options, type RequestType } from './messages.ts';

const DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** CRIU in PATH or where distributions put it: managers call without PATH. Throws RuntimeError. */
export function findCriu(): string {
  for (const directory of [...(process.env['PATH'] ?? '').split(':').filter((word) => word.startsWith('/')), ...DIRECTORIES]) {
    try {
      accessSync(`${directory}/criu`, constants.X_OK);
      return `${directory}/criu`;
    } catch {
      // the next
    }
  }
  throw new RuntimeError('criu is not installed: it takes and restores checkpoints', { hint: 'apt-get install criu' });
}

/** CRIU finds tar, ip and iptables by it. */
export const criuEnvironment = (): readonly string[] => [`PATH=${process.env['PATH'] || DIRECTORIES.join(':')}`];

/** The descriptor CRIU has the conversation on. */
export const SOCKET = 3;

export interface Conversation {
  /** Our end of the socket. */
  readonly socket: number;
  readonly type: RequestType;
  readonly options: Options;
  /** Where CRIU writes its log. */
  readonly log: string;
  /** Called for each step CRIU tells of, as `post-restore`; descriptors that came along are closed afterwards. */
  readonly notified: (script: string, pid: number, fds: readonly number[]) => void;
}

/** Asks, and answers what is asked back. Throws RuntimeError with the last errors of CRIU's log. */
export function talk({ socket, type, options, log, notified }: Conversation): Answer {
  const sent = sendMessage(socket, encodeRequest(type, options));
  if (sent < 0) throw failure(type, `sendmsg: ${errnoName(-sent)}`, log);
  for (;;) {
    const message = receiveMessage(socket);
    if (typeof message === 'number') throw failure(type, `recvmsg: ${errnoName(-message)}`, log);
    if (message.data.length === 0) throw failure(type, 'it ended without an answer', log);
    const answer = decodeAnswer(message.data);
    try {
      if (!answer.success) throw failure(type, [answer.errno === 0 ? '' : errnoName(answer.errno), answer.message.trim()].filter(Boolean).join(' '), log);
      if (answer.notification === undefined) return answer;
      notified(answer.notification.script, answer.notification.pid, message.fds);
    } finally {
      for (const fd of message.fds) closeSync(fd);
    }
    sendMessage(socket, encodeRequest(requestType.notify));
  }
}

const MOST_LINES = 4;

/** runc's words first, then what CRIU's log says: the answer alone has the last error at most. */
function failure(type: RequestType, what: string, log: string): RuntimeError {
  const name = type === requestType.restore ? 'RESTORE' : type === requestType.preDump ? 'PRE_DUMP' : 'DUMP';
  const errors = lastErrors(log);
  const reasons = errors.length > 0 ? errors : what === '' ? [] : [what];
  return new RuntimeError([`criu failed: type ${name}`, ...reasons].join(': '), { hint: errors.length === 0 ? undefined : `all of it is in ${log}` });
}

/** The last lines of a log that are CRIU's errors, without their times: `(criu/files.c:1234): Cannot …`. What it says of a page server is not marked as one. */
export function lastErrors(log: string): readonly string[] {
  try {
    const errors = readFileSync(log, 'utf8').split('\n').filter((line) => /Error \(|^\([\d.]+\) Can't /.test(line));
    return errors.slice(-MOST_LINES).map((line) => line.replace(/^.*?Error (?=\()|^\([\d.]+\) /, '').trim());
  } catch {
    return [];
  }
}
