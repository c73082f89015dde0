// The captured bundles: what each needs to run here, and what may differ from runc in it beyond what may differ in all.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { differences, normal, observe, type Needs } from './compare.ts';

export interface Bundle extends Needs {
  readonly name: string;
  /** config.json as it was captured. */
  readonly file: string;
  /** Why only a virtual machine can run it; undefined when any machine with root can. */
  readonly machine?: string;
  /** runc refuses it, and this is what runt has to say too. */
  readonly refused?: RegExp;
  /** What may differ, both ways: each line is argued in README.md. */
  readonly argued?: readonly RegExp[];
}

const controllers = 'asks for controllers of cgroup v2';
const rights = 'asks for CAP_SYS_RESOURCE, which root lacks on many build machines';
const appArmor = 'asks for an AppArmor profile';

const special: Readonly<Record<string, Omit<Bundle, 'name' | 'file'>>> = {
  'ctr': { machine: controllers },
  'ctr-privileged': { machine: controllers },
  'ctr-limits': { machine: controllers },
  'docker-limits': { machine: controllers },
  'docker-apparmor': { machine: appArmor },
  'docker-privileged': { machine: rights },
  'podman-privileged': { machine: rights },
  'podman-pod': { machine: rights },
  'podman-limits': { machine: controllers },
  'podman-apparmor': { machine: `${appArmor}, ${controllers} and a cgroup of systemd` },
  'buildah-host-network': { argued: [/^tree: \/sys\/fs\/cgroup /] },
  'podman-rootless': { uid: 1000, mapped: true },
  'runc-spec-rootless': { uid: 1000, argued: [/^(mount|tree): \/sys\/fs\/cgroup /] },
  'umoci-rootless': { uid: 1000 },
  'crun-spec-rootless': { uid: 1000, refused: /User namespaces enabled, but no mappings found/ },
};

/** All captured bundles, by the directories they lie in. */
export function capturedBundles(directory: string): readonly Bundle[] {
  return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => ({ name, file: join(directory, name, 'config.json'), ...special[name] }));
}

/** How many lines a report has at least. */
const WHOLE_REPORT = 100;

const references = new Map<string, ReturnType<typeof observe>>();

/** What the reference shows for a bundle: once in a process, for all runtimes that are compared with it. */
function referenceOf(bundle: Bundle, path: string): ReturnType<typeof observe> {
  const found = references.get(bundle.name) ?? observe(`captured${process.pid}`, bundle.file, path, bundle);
  references.set(bundle.name, found);
  return found;
}

/** What differs between two runtimes on a bundle; throws when one of them did not run it as expected. */
export function compareRuntimes(bundle: Bundle, runtime: string, reference: string): { readonly found: readonly string[]; readonly expected: readonly string[] } {
  const one = observe(`captured${process.pid}`, bundle.file, runtime, bundle), other = referenceOf(bundle, reference);
  if (bundle.refused !== undefined) {
    if (one.code !== 1 || other.code !== 1 || !bundle.refused.test(one.stdout + one.stderr)) throw new Error(`not refused: ${one.code} ${one.stdout}${one.stderr}; ${reference}: ${other.code}`);
    return { found: [], expected: [] };
  }
  for (const [path, { code, stdout, stderr }] of [[reference, other], [runtime, one]] as const) {
    if (code !== 0 || stdout.split('\n').length < WHOLE_REPORT) throw new Error(`${path}: exit status ${code}\n${stderr}${code === 0 ? stdout : stdout.slice(-2000)}`);
  }
  const { found, expected } = differences(normal(one.stdout), normal(other.stdout));
  const unargued = (lines: readonly string[]): string[] => lines.filter((line) => !bundle.argued?.some((pattern) => pattern.test(line)));
  return { found: unargued(found), expected: unargued(expected) };
}
