// The command line of runt-conformance.
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';

export const usage = `runt-conformance: is this an OCI container runtime? (runtime-spec 1.3, Linux)

usage: runt-conformance --runtime [NAME=]PATH [--runtime ...] [flags]

  --runtime [NAME=]PATH  a runtime to test; several are compared side by side
  --filter WORDS         only cases whose id, section or level has all of the words; may be given several times: any of them
  --list                 print the cases and end
  --requirements         print the requirements with their cases, or why they have none, and end
  --jobs N               cases at once (default: processors)
  --slow FACTOR          multiply every time limit, for emulated machines
  --tap FILE --junit FILE --json FILE --markdown FILE --html FILE    reports; - is standard output (default: --tap -)
  --keep DIRECTORY       where bundles and scripts of failures go (default: runt-conformance-failures)
  --allow FILE           lines of "case-id" that may fail: the exit status is for the others

exit status: 0 all passed or were skipped, 1 a case failed, 2 usage or host
`;

export const reports = ['tap', 'junit', 'json', 'markdown', 'html'] as const;
export type ReportName = (typeof reports)[number];

export interface Options {
  readonly runtimes: readonly { readonly name: string; readonly path: string }[];
  readonly filters: readonly string[];
  readonly list: boolean;
  readonly requirements: boolean;
  readonly help: boolean;
  readonly jobs: number;
  readonly slow: number;
  readonly reports: readonly { readonly name: ReportName; readonly file: string }[];
  readonly keep: string;
  readonly allow: string | undefined;
}

export class UsageError extends Error {}

/** Reads flags, `--name value` or `--name=value`. Throws UsageError. */
export function parseOptions(words: readonly string[]): Options {
  const values = new Map<string, string[]>();
  const bare = new Set(['list', 'requirements', 'help']);
  const valued = new Set<string>(['runtime', 'filter', 'jobs', 'slow', 'keep', 'allow', ...reports]);
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, name, given] = /^--([a-z]+)(?:=([^]*))?$/.exec(word === '-h' ? '--help' : word) ?? [];
    if (name === undefined || !(bare.has(name) || valued.has(name))) throw new UsageError(`unknown argument: ${word}`);
    const value = bare.has(name) ? '' : (given ?? rest.shift());
    if (value === undefined) throw new UsageError(`--${name} needs a value`);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  const last = (name: string): string | undefined => values.get(name)?.at(-1);
  const positive = (name: string, otherwise: number): number => {
    const value = Number(last(name) ?? otherwise);
    if (!(value > 0)) throw new UsageError(`--${name} needs a number above zero`);
    return value;
  };
  const runtimes = (values.get('runtime') ?? []).map((text) => {
    const [, name, path] = /^(?:([^=/]+)=)?(.+)$/.exec(text) ?? [];
    if (path === undefined) throw new UsageError('--runtime needs a path');
    return { name: name ?? basename(path), path: path.includes('/') ? resolve(path) : path };
  });
  const chosen = reports.flatMap((name) => (values.get(name) ?? []).map((file) => ({ name, file })));
  return {
    runtimes, filters: values.get('filter') ?? [], list: values.has('list'), requirements: values.has('requirements'), help: values.has('help'), jobs: Math.ceil(positive('jobs', availableParallelism())),
    slow: positive('slow', 1), reports: chosen.length > 0 ? chosen : [{ name: 'tap', file: '-' }], keep: resolve(last('keep') ?? 'runt-conformance-failures'), allow: last('allow'),
  };
}
