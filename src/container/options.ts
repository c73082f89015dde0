// What the command line asks of create and run.

export interface CreateOptions {
  /** The state root, absolute. */
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  readonly consoleSocket?: string | undefined;
  readonly pidFile?: string | undefined;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  /** Descriptors beyond stdio and LISTEN_FDS that the process keeps. */
  readonly preserveFds: number;
  readonly cgroupManager: 'cgroupfs' | 'systemd' | 'disabled';
}

export interface RunOptions extends CreateOptions {
  readonly detach: boolean;
  /** Leaves cgroup and state to a later `delete` (BuildKit). */
  readonly keep: boolean;
  readonly noSubreaper: boolean;
}
