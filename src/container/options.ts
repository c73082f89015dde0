// What the command line asks of create and run.
import type { Watch } from '../execute/execute.ts';
import type { Image } from '../program/decode.ts';

/** What a debugger does to a program, and with it; its code is loaded only where it is asked for. */
export interface Debugging {
  /** Called once the program is written and nothing of it has run. Throws RuntimeError for a step that is not there. */
  readonly prepare: (image: Image) => void;
  readonly watch?: Watch | undefined;
  /** Called once the program has run as far as it will: to its end, or to the step that failed. */
  readonly ended?: ((image: Image) => void) | undefined;
}

export interface CreateOptions {
  /** The state root, absolute. */
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  readonly consoleSocket?: string | undefined;
  readonly pidFile?: string | undefined;
  readonly pidfdSocket?: string | undefined;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  /** Descriptors beyond stdio and LISTEN_FDS that the process keeps. */
  readonly preserveFds: number;
  readonly cgroupManager: 'cgroupfs' | 'systemd' | 'disabled';
  readonly debugging?: Debugging | undefined;
  /** Told what is no error and seldom of interest; with --debug only. */
  readonly debug?: (text: string) => void;
  /** Told what was asked for and is left out. */
  readonly warn?: (text: string) => void;
}

/** What `exec` asks; with `processFile` the flags of the process do not count. */
export interface ExecOptions {
  readonly root: string;
  readonly id: string;
  readonly args: readonly string[];
  readonly processFile: string | undefined;
  readonly detach: boolean;
  readonly tty: boolean;
  readonly consoleSocket: string | undefined;
  readonly pidFile: string | undefined;
  readonly pidfdSocket: string | undefined;
  readonly cwd: string | undefined;
  readonly env: readonly string[];
  readonly user: { readonly uid?: number; readonly gid?: number };
  readonly additionalGids: readonly number[];
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly apparmorProfile: string | undefined;
  readonly selinuxLabel: string | undefined;
  readonly preserveFds: number;
  /** Cgroups below the container's, `[CONTROLLER,...:]PATH` each. */
  readonly cgroups: readonly string[];
  readonly ignorePaused: boolean;
  /** Told what was asked for and is left out. */
  readonly warn?: (text: string) => void;
}

export interface RunOptions extends CreateOptions {
  readonly detach: boolean;
  /** Leaves cgroup and state to a later `delete` (BuildKit). */
  readonly keep: boolean;
  readonly noSubreaper: boolean;
  /** How many words of the command line are global flags: they are said again to the launcher that deletes the container. */
  readonly globalWords: number;
}
