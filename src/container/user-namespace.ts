// Whose root the runtime is: the host's, or that of a user namespace.
import { readFileSync } from 'node:fs';

/** user_namespaces(7): the initial namespace maps every id onto itself. */
export function isInitialUserNamespace(): boolean {
  try {
    return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return true;
  }
}
