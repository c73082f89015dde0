// Where the loader finds libseccomp.so.2 (ld.so(8)), for those who only want to know: loading it costs milliseconds.
import { existsSync } from 'node:fs';

const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';

/** Candidates, in the loader's order. */
export const libseccompFiles: readonly string[] = ['/usr/local/lib', `/usr/local/lib/${triplet}`, `/usr/lib/${triplet}`, `/lib/${triplet}`, '/usr/lib64', '/lib64', '/usr/lib', '/lib'].map((directory) => `${directory}/libseccomp.so.2`);

export const hasLibseccomp = (): boolean => libseccompFiles.some((file) => existsSync(file));
