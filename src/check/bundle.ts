// Everything that is wrong with a bundle, at once: as JSON, by the schema, between its fields, and on this host. Changes nothing.
import { posix } from 'node:path';
import type { Config } from '../../spec/config.ts';
import { locate } from '../../spec/json.ts';
import { checkSemantics } from '../../spec/semantic.ts';
import { validateConfig, type Issue } from '../../spec/validate.ts';
import { findRootfs, parseConfig, readConfigFile } from '../container/bundle.ts';
import { RuntimeError } from '../errors.ts';
import { checkHost } from './host.ts';
import { unknownCapabilities, unknownKeys } from './unknown.ts';

/** Which of the checks found it; SARIF calls it a rule. */
export type Rule = 'json' | 'schema' | 'semantic' | 'unknown-key' | 'rootfs' | 'host';

/** An issue with its place in the file. Line and column begin at 1. */
export interface Finding extends Issue {
  readonly rule: Rule;
  readonly line: number;
  readonly column: number;
}

export interface Checked {
  /** Absolute path of config.json. */
  readonly file: string;
  /** In the order of the file. */
  readonly findings: readonly Finding[];
}

/** Checks a bundle; without `withHost` only what is wrong on every host. Throws RuntimeError when there is no config.json to read. */
export function checkBundle(directory: string, withHost: boolean): Checked {
  const bundle = posix.resolve(directory);
  const file = `${bundle}/config.json`;
  const bytes = readConfigFile(bundle);
  let parsed: ReturnType<typeof parseConfig>;
  try {
    parsed = parseConfig(bytes);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const [, line, column] = /:(\d+):(\d+)$/.exec(error.details.position ?? '') ?? [];
    return { file, findings: [{ rule: 'json', pointer: '', found: 'something else', expected: error.message, severity: 'error', line: Number(line ?? 1), column: Number(column ?? 1) }] };
  }
  const { text, document } = parsed;
  const findings: Finding[] = [];
  const add = (rule: Rule, issues: readonly Issue[]): void => {
    for (const issue of issues) {
      if (rule === 'semantic' && findings.some((other) => other.pointer === issue.pointer && other.severity === 'error')) continue;
      findings.push({ ...issue, rule, ...locate(text, issue.pointer) });
    }
  };
  add('schema', validateConfig(document));
  const isSound = findings.length === 0;
  add('semantic', tried(isSound, () => checkSemantics(document as Config)));
  add('unknown-key', unknownKeys(document));
  add('semantic', tried(isSound, () => unknownCapabilities(document as Config)));
  if (withHost) {
    const rootfs = rootfsOf(bundle, document as Config);
    if (typeof rootfs === 'object') add('rootfs', findings.some(({ pointer }) => pointer.startsWith('/root')) ? [] : [rootfs]);
    add('host', tried(isSound, () => checkHost(document as Config, bundle, typeof rootfs === 'string' ? rootfs : undefined)));
  }
  findings.sort((a, b) => a.line - b.line || a.column - b.column);
  return { file, findings };
}

/** On a document that the schema refuses the further checks may stumble: then they have nothing to say. */
function tried(isSound: boolean, check: () => readonly Issue[]): readonly Issue[] {
  if (isSound) return check();
  try {
    return check();
  } catch {
    return [];
  }
}

function rootfsOf(bundle: string, config: Config): string | Issue {
  try {
    return findRootfs(bundle, config, () => '');
  } catch (error) {
    const { message, details } = error as RuntimeError;
    return { pointer: details?.pointer ?? '/root', found: JSON.stringify(config.root?.path ?? null), expected: message, severity: 'error', ...(details?.hint === undefined ? {} : { hint: details.hint }) };
  }
}
