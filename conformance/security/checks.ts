// Every check of confinement: what it is named after, and what must hold for any runtime. A check throws where it does not hold.
import { configuration } from './configuration.ts';
import { filesystem } from './filesystem.ts';
import { processes } from './processes.ts';
import { surroundings } from './surroundings.ts';
import type { Subject } from './bundles.ts';

export interface Check {
  /** The CVEs it would have found, or the invariant of docs/security.md. */
  readonly about: string;
  /** What holds, as a sentence. */
  readonly holds: string;
  readonly check: (subject: Subject) => void;
}

export const checks: readonly Check[] = [...processes, ...filesystem, ...configuration, ...surroundings];
