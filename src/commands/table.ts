// All verbs; each module is loaded only when its verb is called.
import type { Command } from './command.ts';

interface Row {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
  /** It makes system calls of its own: koffi is loaded first, and files are read through it (native/engine). */
  readonly calls?: true;
}

/** Verbs by name, in the order help shows them. */
export const table: Readonly<Record<string, Row>> = {
  create: { calls: true, summary: 'make a container from a bundle; it waits for start', load: () => import('./create.ts') },
  start: { calls: true, summary: 'run the process of a created container', load: () => import('./start.ts') },
  run: { calls: true, summary: 'create and start', load: () => import('./run.ts') },
  exec: { calls: true, summary: 'run another process in a container', load: () => import('./exec.ts') },
  state: { summary: 'print the state of a container as JSON', load: () => import('./state.ts') },
  kill: { calls: true, summary: 'send a signal to a container', load: () => import('./kill.ts') },
  delete: { calls: true, summary: 'remove a container and what it held', load: () => import('./delete.ts') },
  list: { summary: 'list containers', load: () => import('./list.ts') },
  pause: { calls: true, summary: 'freeze every process of a container', load: () => import('./pause.ts') },
  resume: { calls: true, summary: 'let a paused container go on', load: () => import('./resume.ts') },
  update: { calls: true, summary: 'change the limits of a container', load: () => import('./update.ts') },
  ps: { summary: 'list the processes of a container', load: () => import('./ps.ts') },
  events: { summary: 'statistics and out-of-memory events as JSON lines', load: () => import('./events.ts') },
  stats: { summary: 'what containers use, as a live table', load: () => import('./stats.ts') },
  checkpoint: { summary: 'write the processes of a container to files (CRIU)', load: () => import('./checkpoint.ts') },
  restore: { summary: 'make a container again from a checkpoint (CRIU)', load: () => import('./restore.ts') },
  spec: { summary: 'write a config.json to begin with', load: () => import('./spec.ts') },
  features: { summary: 'print what this runtime knows as JSON (features.md)', load: () => import('./features.ts') },
  validate: { summary: 'check a bundle: config.json, and what this host can give', load: () => import('./validate.ts') },
  explain: { summary: 'print the sequence a bundle compiles to, without running it', load: () => import('./explain.ts') },
  trace: { summary: 'print what each step of a container returned and how long it took', load: () => import('./trace.ts') },
  inspect: { summary: 'compare what config.json asked with what the kernel has now', load: () => import('./inspect.ts') },
  doctor: { summary: 'what this host offers, what is missing for which feature, and how to get it', load: () => import('./doctor.ts') },
  completion: { summary: 'print a completion script for bash, zsh or fish', load: () => import('./completion.ts') },
  man: { summary: 'print the manual page of runt or of a command (roff)', load: () => import('./man.ts') },
};
