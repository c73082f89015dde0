// The process exec is to run: --process FILE, or the container's own process changed by flags as runc changes it.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Config, Process } from '../../spec/config.ts';
import { decodeConfig, JsonError, locate, parseJson } from '../../spec/json.ts';
import { RuntimeError } from '../errors.ts';
import type { ExecOptions } from './options.ts';

export interface ExecProcess {
  readonly process: Process;
  /** Where a pointer into it is: a line of --process FILE; nowhere for flags. */
  readonly position: (pointer: string) => string | undefined;
}

/** Throws RuntimeError: no command, or a file that does not hold a process object (config.md#process). */
export async function execProcess(options: ExecOptions, stored: Config): Promise<ExecProcess> {
  if (options.processFile !== undefined) return fromFile(options.processFile, stored);
  const position = (): undefined => undefined;
  const process = fromFlags(options, stored);
  if (options.apparmorProfile !== undefined || options.selinuxLabel !== undefined) await check({ ...stored, process }, () => 'command line');
  return { process, position };
}

async function fromFile(path: string, stored: Config): Promise<ExecProcess> {
  const name = basename(path);
  let text = '';
  let process: unknown;
  try {
    text = decodeConfig(readFileSync(path));
    process = parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw new RuntimeError(`${path} is not JSON: ${error.message}`, { position: `${name}:${error.line}:${error.column}` });
    throw new RuntimeError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
  const position = (pointer: string): string => {
    const { line, column } = locate(text, pointer.replace(/^\/process/, ''));
    return `${name}:${line}:${column}`;
  };
  await check({ ...stored, process: process as Process }, position);
  return { process: confined(process as Process, stored.process), position };
}

/** As runc: a process object that names no capabilities, label or score gets the container's; confinement is not lost by leaving a key out. */
function confined(process: Process, own: Config['process']): Process {
  const { apparmorProfile, selinuxLabel, capabilities, oomScoreAdj } = own ?? {};
  return {
    ...process,
    ...(process.capabilities !== undefined || capabilities === undefined ? {} : { capabilities }),
    ...(process.oomScoreAdj !== undefined || oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    ...(process.apparmorProfile || !apparmorProfile ? {} : { apparmorProfile }),
    ...(process.selinuxLabel || !selinuxLabel ? {} : { selinuxLabel }),
  };
}

/** Loaded only here: flags alone cannot break a process that create has checked. */
async function check(config: Config, position: (pointer: string) => string): Promise<void> {
  const [{ validateConfig }, { checkSemantics }, { issuesError }] = await Promise.all([import('../../spec/validate.ts'), import('../../spec/semantic.ts'), import('./bundle.ts')]);
  const ofProcess = (issues: ReturnType<typeof validateConfig>): typeof issues => issues.filter(({ severity, pointer }) => severity === 'error' && /^\/process(\/|$)/.test(pointer));
  let issues = ofProcess(validateConfig(config));
  if (issues.length === 0) issues = ofProcess(checkSemantics(config));
  if (issues.length > 0) throw issuesError(issues, position);
}

function fromFlags(options: ExecOptions, { process: own }: Config): Process {
  if (options.args.length === 0) throw new RuntimeError('process args cannot be empty', { hint: 'runt exec CONTAINER COMMAND [ARGUMENT...], or --process FILE' });
  if (own === undefined) throw new RuntimeError('the container has no process to take user and environment from', { hint: '--process FILE' });
  const { apparmorProfile, selinuxLabel } = options;
  return {
    ...own,
    args: options.args,
    terminal: options.tty,
    cwd: options.cwd ?? own.cwd,
    env: [...(own.env ?? []), ...options.env],
    noNewPrivileges: options.noNewPrivileges || own.noNewPrivileges === true,
    user: { ...own.user, ...options.user, additionalGids: [...(own.user?.additionalGids ?? []), ...options.additionalGids] },
    ...(options.capabilities.length === 0 ? {} : { capabilities: addCapabilities(own.capabilities, options.capabilities) }),
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
    ...(selinuxLabel === undefined ? {} : { selinuxLabel }),
  };
}

/** Never to the inheritable set, and to the ambient one only what is inheritable already (CVE-2022-29162). */
function addCapabilities(own: Process['capabilities'], names: readonly string[]): NonNullable<Process['capabilities']> {
  const { bounding = [], effective = [], permitted = [], inheritable = [], ambient = [] } = own ?? {};
  const inherited = names.filter((name) => inheritable.includes(name));
  return { bounding: [...bounding, ...names], effective: [...effective, ...names], permitted: [...permitted, ...names], inheritable, ambient: [...ambient, ...inherited] };
}
