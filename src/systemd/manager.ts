// systemd's manager (org.freedesktop.systemd1(5)): transient units for containers, changed while they run, stopped with them.
import { existsSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';
import { Bus, BusError } from './bus.ts';
import type { Value, Variant } from './message.ts';
import { propertyOf } from './properties.ts';

const destination = 'org.freedesktop.systemd1';
const path = '/org/freedesktop/systemd1';

/** Sockets in the order they are tried: systemd's own saves the way through the message bus. */
function candidates(isUser: boolean): readonly (readonly [path: string, isMessageBus: boolean])[] {
  if (!isUser) return [['/run/systemd/private', false], ['/run/dbus/system_bus_socket', true]];
  const directory = process.env['XDG_RUNTIME_DIR'] || `/run/user/${process.geteuid!()}`;
  const session = /^unix:path=([^,;]+)/.exec(process.env['DBUS_SESSION_BUS_ADDRESS'] ?? '')?.[1];
  return [[`${directory}/systemd/private`, false], ...(session === undefined ? [] : [[session, true] as const]), [`${directory}/bus`, true]];
}

/** Whether it is a user's own systemd that is to be asked: always for an ordinary user, in a user namespace when there is one. */
export function isUserManager(isPrivileged: boolean): boolean {
  if (isPrivileged) return false;
  return process.geteuid!() !== 0 || (process.env['XDG_RUNTIME_DIR'] !== undefined && existsSync(process.env['XDG_RUNTIME_DIR']));
}

export class Manager {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Connects to the system's manager or the user's. Throws RuntimeError when there is none. */
  static connect(isUser: boolean): Manager {
    if (!isUser && !existsSync('/run/systemd/system')) {
      throw new RuntimeError('systemd cgroup flag passed, but systemd support for managing cgroups is not available', { hint: 'systemd is not what this machine was booted with: --cgroup-manager cgroupfs' });
    }
    const problems: string[] = [];
    for (const [socket, isMessageBus] of candidates(isUser)) {
      try {
        return new Manager(new Bus(socket, isMessageBus));
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        problems.push(error.message.includes(socket) ? error.message : `${socket}: ${error.message}`);
      }
    }
    throw new RuntimeError(`cannot reach ${isUser ? 'the user’s systemd' : 'systemd'}: ${problems.join('; ')}`, {
      hint: isUser ? 'a login session has one (loginctl enable-linger USER gives one without); XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS say where' : 'systemctl status',
    });
  }

  close(): void {
    this.#bus.close();
  }

  /** The manager's own cgroup, below which its units are: empty for the root, as `/user.slice/user-1000.slice/user@1000.service` for a user's. */
  controlGroup(): string {
    const [value] = this.#bus.call({ destination, path, interface: 'org.freedesktop.DBus.Properties', member: 'Get' }, 'ss', ['org.freedesktop.systemd1.Manager', 'ControlGroup']);
    return String((value as Variant).value).replace(/\/$/, '');
  }

  /** Starts a transient unit around a process and waits until it is there; a slice has no processes of its own. Throws RuntimeError. */
  startUnit(unit: string, properties: readonly string[], pid: number): void {
    const values: Value[] = properties.map(propertyOf);
    if (unit.endsWith('.scope')) values.push(['PIDs', { type: 'au', value: [pid] }]);
    this.#watchJobs();
    const start = (): string => String(this.#method(unit, 'StartTransientUnit', 'ssa(sv)a(sa(sv))', [unit, 'replace', values, []])[0]);
    let job: string;
    try {
      job = start();
    } catch (error) {
      if (busNameOf(error) !== 'org.freedesktop.systemd1.UnitExists') throw error;
      this.resetFailed(unit); // what a failed one leaves behind holds its name
      job = start();
    }
    const result = this.#jobResult(job);
    if (result !== 'done') throw new RuntimeError(`systemd could not start ${unit}: ${result}`, { hint: `systemctl status ${unit}, journalctl -u ${unit}` });
  }

  /** Stops a unit and forgets that it may have failed. One that is gone is done. Throws RuntimeError. */
  stopUnit(unit: string): void {
    this.#watchJobs();
    try {
      const job = String(this.#method(unit, 'StopUnit', 'ss', [unit, 'replace'])[0]);
      const result = this.#jobResult(job);
      if (result !== 'done') throw new RuntimeError(`systemd could not stop ${unit}: ${result}`, { hint: `systemctl status ${unit}` });
    } catch (error) {
      if (busNameOf(error) !== 'org.freedesktop.systemd1.NoSuchUnit') throw error;
    }
    this.resetFailed(unit);
  }

  resetFailed(unit: string): void {
    try {
      this.#method(unit, 'ResetFailedUnit', 's', [unit]);
    } catch (error) {
      if (busNameOf(error) === undefined) throw error;
    }
  }

  /** Changes properties of a unit until it stops. Throws RuntimeError. */
  setProperties(unit: string, properties: readonly string[]): void {
    if (properties.length > 0) this.#method(unit, 'SetUnitProperties', 'sba(sv)', [unit, true, properties.map(propertyOf)]);
  }

  /** Moves a process of ours into a unit's cgroup, which the kernel may not let us do ourselves. Throws RuntimeError. */
  attachProcess(unit: string, pid: number): void {
    this.#method(unit, 'AttachProcessesToUnit', 'ssau', [unit, '', [pid]]);
  }

  #method(unit: string, member: string, signature: string, body: readonly Value[]): readonly Value[] {
    try {
      return this.#bus.call({ destination, path, interface: 'org.freedesktop.systemd1.Manager', member }, signature, body);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      throw new RuntimeError(`systemd: ${member}(${unit}): ${error.message}`, { errno: error.busName.startsWith('E') ? error.busName : undefined, cause: error });
    }
  }

  #isWatching = false;

  #watchJobs(): void {
    if (this.#isWatching || !this.#bus.isMessageBus) return;
    this.#isWatching = true;
    const rule = `type='signal',sender='${destination}',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'`;
    this.#bus.call({ destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus', member: 'AddMatch' }, 's', [rule]);
  }

  #jobResult(job: string): string {
    try {
      return String(this.#bus.signal('JobRemoved', ([, path]) => path === job)[3]);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      throw new RuntimeError(`systemd: waiting for ${job}: ${error.message}`, { errno: error.busName, cause: error });
    }
  }
}

const busNameOf = (error: unknown): string | undefined => (error instanceof RuntimeError && error.details.cause instanceof BusError ? error.details.cause.busName : undefined);
