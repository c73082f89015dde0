// THE ORDER of the verbs that need no engine: programs for any container, compiled when runt is built and run by its launcher.
// They do what is done nearly always. Whatever else there is to do or to say, they give up, before anything cannot be taken
// back, and the engine does the verb from its beginning: container/state.ts, start.ts, kill.ts, delete.ts, pause.ts, update.ts.
import { AF_UNIX, AT_FDCWD, AT_REMOVEDIR, EPOLLIN, EPOLLPRI, F_DUPFD, MSG_PEEK, O_CLOEXEC, O_CREAT, O_NOFOLLOW, O_WRONLY, SOCK_CLOEXEC, SOCK_SEQPACKET } from '../../native/linux/constants.ts';
import { status } from '../program/layout.ts';
import { slot, type Out, type Program, type Step, type StepOptions } from '../program/step.ts';
import { fact, facts, GATE, longestReport, reported, room } from './facts.ts';
import { limitBytes, LIMITS, limits } from './limits.ts';
import { ALL_BITS, ask, event, giveUp, lock, lookAtFreezer, lookAtGate, lookForProcess, note, openCgroup, openContainer, openPidfd, step, wait, watch, writeToCgroup } from './parts.ts';

const EBUSY = 16;
const ESRCH = 3;
const ECHILD = 10;
const EINVAL = 22;
const ETIMEDOUT = 110;
const SIGKILL = 9;

/** Slots that the launcher fills: the state root's path, names in it (addresses of texts), and of the command line a signal, --force and --pid (unset without them). */
export const given = ['path', 'id', 'removed', 'signal', 'force', 'init'] as const;

/** Two more for each limit that `update` may be given, unset when it is not: the address of its text, and that text's bytes. */
const bytesOf = (flag: string): string => `${flag} bytes`;
export const givenLimits = limits.flatMap(({ flag }) => [flag, bytesOf(flag)]);

/** The slot with init's message for the engine, when there is one: a descriptor of the connection to the gate. */
export const left = 'connection';

function state(): readonly Step[] {
  const text: Out = { out: 'report', size: longestReport };
  const choose = (name: (typeof reported)[number], options: StepOptions): readonly Step[] => {
    const place = fact.reports + 16 * reported.indexOf(name);
    return [
      step('load', [facts(place), 8, ALL_BITS], name, { ...options, result: 'at' }),
      step('load', [facts(place + 8), 8, ALL_BITS], '', { ...options, result: 'bytes' }),
    ];
  };
  return [
    ...openContainer(),
    ask('plain', fact.reportsPlainly),
    giveUp(EINVAL, 'annotations have no room here', { unless: 'plain' }),
    ...lookForProcess(),
    ...lookAtGate(),
    ...lookAtFreezer(),
    ...choose('stopped', { unless: 'alive' }), // the last that fits counts
    ...choose('running', { needs: 'alive' }),
    ...choose('created', { needs: 'gate' }),
    ...choose('paused', { needs: 'frozen' }),
    step('pread64', [slot('facts'), text, slot('bytes'), slot('at')], ''), // create has written it, for each status
    step('write', [1, text, slot('bytes')], ''),
  ];
}

function start(): readonly Step[] {
  const silence: Out = { out: 'silence', size: 8 };
  const byte: Out = { out: 'status', size: 8 };
  const executed = Array.from({ length: room.candidates }, (_, i) => [
    step('load', [facts(fact.candidates + 8 * i), 8, ALL_BITS], '', { unless: 'executed', result: `candidate${i}` }),
    step('pread64', [slot('program'), byte, 1, slot(`candidate${i}`)], '', { unless: 'executed' }),
    step('expect', [byte, 1, 0xff, status.done, ESRCH], 'written just before execve', { unless: 'executed', result: 'executed', tolerate: ['ESRCH'] }),
  ]);
  return [
    ...openContainer(),
    ...lock(),
    ask('plain', fact.startsPlainly),
    giveUp(EINVAL, 'hooks are run by the engine', { unless: 'plain' }),
    ...lookForProcess(),
    ...lookAtFreezer(),
    giveUp(EINVAL, 'paused', { needs: 'frozen' }),
    step('socket', [AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0], '', { result: 'socket' }),
    step('connect', [slot('socket'), facts(fact.socket), room.socket], 'init goes on; nobody listens when it was started before, or has ended'),
    step('recvfrom', [slot('socket'), { out: 'message', size: 8 }, 8, MSG_PEEK, null, 0], 'end of file: init has become the process, or has ended', { result: 'said' }),
    step('expect', [silence, 8, ALL_BITS, slot('said'), EBUSY], 'nothing said', { result: 'silent', tolerate: ['EBUSY'] }),
    step('fcntl', [slot('socket'), F_DUPFD, 3], 'what init says is for the engine: it goes on with this connection', { unless: 'silent', result: left }),
    giveUp(EBUSY, '', { unless: 'silent' }),
    step('openat', [slot('directory'), 'program', O_CLOEXEC | O_NOFOLLOW, 0], 'the flight recorder', { result: 'program' }),
    ...executed.flat(),
    giveUp(ESRCH, 'it was killed while it waited', { unless: 'executed' }),
    step('unlinkat', [slot('directory'), GATE, 0], 'it runs', { tolerate: ['ENOENT'] }),
  ];
}

function kill(): readonly Step[] {
  const nine = Buffer.alloc(8);
  nine[0] = SIGKILL;
  const signal = (options: StepOptions): Step => step('pidfd_send_signal', [slot('pidfd'), slot('signal'), null, 0], '', options);
  return [
    ...openContainer(),
    ...lock(),
    ...openPidfd(), // before the process is looked for: what is found is what the descriptor means
    ...lookForProcess(),
    giveUp(ESRCH, 'it has ended', { unless: 'alive' }),
    step('expect', [{ bytes: nine }, 8, ALL_BITS, slot('signal'), ESRCH], 'SIGKILL', { result: 'kills', tolerate: ['ESRCH'] }),
    ask('private', fact.privatePidNamespace),
    note('everything', { needs: 'kills', unless: 'private' }), // without a pid namespace they do not die with init
    openCgroup({ needs: 'everything' }),
    ...writeToCgroup('cgroup.kill', '1', ''),
    signal({ needs: 'everything', tolerate: ['ESRCH'] }),
    signal({ unless: 'everything' }),
  ];
}

function deletion(): readonly Step[] {
  const PATIENCE = 10_000;
  const remove = (tolerate: readonly string[]): Step => step('unlinkat', [AT_FDCWD, facts(fact.cgroup), AT_REMOVEDIR], '', { needs: 'cgroup', unless: 'gone', result: 'gone', tolerate: ['ENOENT', 'ENODEV', ...tolerate] });
  const pauses = [0.2, 0.5, 1, 2, 4, 8];
  const again = pauses.flatMap((milliseconds, index) => [
    step('clock_nanosleep', [1, 0, { struct: 'timespec', members: { tv_nsec: milliseconds * 1e6 } }, null], 'the last process is still leaving', { needs: 'cgroup', unless: 'gone' }),
    remove(index < pauses.length - 1 ? ['EBUSY'] : []),
  ]);
  return [
    ...openContainer(),
    step('expect', [facts(fact.pid), 8, ALL_BITS, slot('init'), ECHILD], 'the one that was meant, not another with its id', { needs: 'init' }),
    ...lock(),
    ask('plain', fact.endsPlainly),
    giveUp(EINVAL, 'hooks, units and classes of resctrl are the engine’s', { unless: 'plain' }),
    ...openPidfd(),
    ...lookForProcess(),
    ...lookAtGate(),
    ...lookAtFreezer(),
    note('busy', { needs: 'alive', unless: 'gate' }),
    note('busy', { needs: 'frozen' }),
    note('refused', { needs: 'busy', unless: 'force' }),
    giveUp(EBUSY, 'it is not stopped', { needs: 'refused' }),
    ...watch('pidfd', EPOLLIN, { needs: 'alive' }),
    step('pidfd_send_signal', [slot('pidfd'), SIGKILL, null, 0], '', { needs: 'alive', tolerate: ['ESRCH'] }),
    ask('private', fact.privatePidNamespace),
    ...writeToCgroup('cgroup.kill', '1', 'what does not die with init', { unless: 'private' }),
    wait(PATIENCE, 'it ends', { needs: 'alive' }),
    step('expect', [event, 4, EPOLLIN, EPOLLIN, ETIMEDOUT], '', { needs: 'alive' }),
    remove(['EBUSY']),
    ...again,
    step('renameat2', [slot('root'), slot('id'), slot('root'), slot('removed'), 0], 'out of sight: nobody meets half a container'),
    ...[GATE, 'program', 'config.json', 'facts', LIMITS, 'state.json'].map((name) => step('unlinkat', [slot('directory'), name, 0], '', { tolerate: ['ENOENT'] })),
    step('unlinkat', [slot('root'), slot('removed'), AT_REMOVEDIR], ''),
  ];
}

/** kernel doc cgroup-v2: cgroup.freeze asks, cgroup.events says when it is so, and wakes who waits for a change. */
function freeze(value: '0' | '1'): readonly Step[] {
  const memory: Out = { out: 'events', size: 64 };
  const FROZEN = 'populated 1\nfrozen '.length;
  const CHANGE = 1000;
  const look = (): readonly Step[] => [
    step('pread64', [slot('events'), memory, 64, 0], '', { unless: 'done' }),
    step('expect', [{ ...memory, offset: FROZEN }, 1, 0xff, value.charCodeAt(0), EBUSY], '', { unless: 'done', result: 'done', tolerate: ['EBUSY'] }),
  ];
  return [
    ...openContainer(),
    ...lookForProcess(),
    ...lookAtFreezer(),
    giveUp(EINVAL, 'it has ended, or has no cgroup', { unless: 'asked' }),
    giveUp(EINVAL, 'it is so already', value === '1' ? { needs: 'frozen' } : { unless: 'frozen' }),
    step('openat', [slot('cgroup'), 'cgroup.events', O_CLOEXEC, 0], '', { result: 'events' }),
    ...writeToCgroup('cgroup.freeze', value, 'asked for'),
    ...look(),
    ...watch('events', EPOLLPRI, { unless: 'done' }),
    ...Array.from({ length: 5 }, () => [wait(CHANGE, 'each process stops by itself', { unless: 'done' }), ...look()]).flat(),
    step('write', [slot('cgroup.freeze'), value === '1' ? '0' : '1', 1], 'the engine begins again', { unless: 'done' }),
    giveUp(EBUSY, '', { unless: 'done' }),
  ];
}

function update(): readonly Step[] {
  return [
    ...openContainer(),
    ...lock(),
    ask('plain', fact.limitsPlainly),
    giveUp(EINVAL, 'one limit asks for another, or systemd has it too', { unless: 'plain' }),
    ...lookForProcess(),
    giveUp(ESRCH, 'it has ended', { unless: 'alive' }),
    openCgroup(),
    giveUp(EINVAL, 'it has no cgroup', { unless: 'cgroup' }),
    ...limits.map(({ flag, file }) => step('openat', [slot('cgroup'), file, O_WRONLY | O_CLOEXEC, 0], '', { needs: flag, result: file })), // all, before one is changed
    ...limits.map(({ flag, file }) => step('write', [slot(file), slot(flag), slot(bytesOf(flag))], '')),
    step('openat', [slot('directory'), LIMITS, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600], 'what config.json does not know yet', { result: LIMITS }),
    ...limits.map(({ flag }, index) => step('pwrite64', [slot(LIMITS), slot(flag), limitBytes, index * limitBytes], '')),
  ];
}

const program = (steps: readonly Step[], besides: readonly string[] = []): Program => ({ steps, inherited: Object.fromEntries([...given, ...besides].map((name) => [name, 0])) });

/** The prepared programs by verb. */
export const verbs = {
  state: program(state()),
  start: program(start()),
  kill: program(kill()),
  delete: program(deletion()),
  pause: program(freeze('1')),
  resume: program(freeze('0')),
  update: program(update(), givenLimits),
} as const satisfies Readonly<Record<string, Program>>;
