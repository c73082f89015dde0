// Documents that once broke something: both fuzz tests run them before anything new.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directory = new URL('found/', import.meta.url);

export interface Found {
  /** The file's name: what was wrong. */
  readonly name: string;
  readonly text: string;
}

/** The documents of found/, as they are. */
export function found(): readonly Found[] {
  return readdirSync(directory).filter((name) => name.endsWith('.json')).sort().map((name) => ({ name, text: readFileSync(new URL(name, directory), 'utf8') }));
}

/** Writes a document that broke something where it can be taken from; returns what to do with it. */
export function keep(text: string): string {
  const file = join(tmpdir(), `found-${process.pid}-${Date.now()}.json`);
  writeFileSync(file, text);
  return `the document is ${file}: once it is mended, keep it as conformance/security/found/WHAT-WAS-WRONG.json`;
}
