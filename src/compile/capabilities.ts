// process.capabilities: exactly what config.json says; inheritable and ambient are never added (CVE-2022-29162, capabilities(7)).
import { LINUX_CAPABILITY_VERSION, nameTables, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, PR_CAP_AMBIENT_RAISE, PR_CAPBSET_DROP, PR_SET_KEEPCAPS } from '../../native/linux/constants.ts';
import type { Config } from '../../spec/config.ts';
import { part, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

type Capabilities = NonNullable<NonNullable<Config['process']>['capabilities']>;

const numbers: Readonly<Record<string, number>> = nameTables.capability.names;

/** Names → numbers. Names the kernel does not have are left out with a warning, as runc does. */
export function capabilityNumbers(names: readonly string[] | undefined): readonly number[] {
  const found = new Set<number>();
  for (const name of names ?? []) {
    const number = numbers[name.toUpperCase()];
    if (number !== undefined) found.add(number);
  }
  return [...found].sort((a, b) => a - b);
}

/** The keys of process.capabilities; there may be others, which mean nothing. */
export const capabilitySets = ['bounding', 'effective', 'inheritable', 'permitted', 'ambient'] as const;

/** Every name that is one. */
export const capabilityNames: readonly string[] = Object.keys(numbers);

/** What a runtime says of names that are none; undefined where there are none of them. The words are runc's. */
export function ignoredCapabilities(sets: Capabilities | undefined): string | undefined {
  const unknown = unknownCapabilities(sets);
  return unknown.length === 0 ? undefined : `ignoring unknown or unavailable capabilities: [${unknown.join(' ')}]`;
}

/** The names in any of the sets that are no capability, sorted. */
function unknownCapabilities(sets: Capabilities | undefined): readonly string[] {
  if (sets === undefined) return [];
  const unknown = new Set<string>();
  for (const set of capabilitySets) for (const name of sets[set] ?? []) if (numbers[name.toUpperCase()] === undefined) unknown.add(name);
  return [...unknown].sort();
}

/** None where config.json says nothing of them, as crun, and runc to 1.2: what nobody asked for nobody gets. */
const setsOf = ({ process }: Config): Capabilities => process?.capabilities ?? {};

export function dropBoundingSet({ config }: Context): readonly Step[] {
  const sets = setsOf(config);
  const kept = new Set(capabilityNumbers(sets.bounding));
  const step = part('container', '/process/capabilities/bounding');
  const steps: Step[] = [];
  const unknown = { tolerate: ['EINVAL'] }; // to an older kernel
  for (const name in numbers) {
    if (!kept.has(numbers[name]!)) steps.push(step('prctl', [PR_CAPBSET_DROP, numbers[name]!, 0, 0, 0], name, unknown));
  }
  return [...steps, part('container', '/process/capabilities')('prctl', [PR_SET_KEEPCAPS, 1, 0, 0, 0], 'setresuid(2) would clear what is permitted')];
}

export function capabilities({ config }: Context): readonly Step[] {
  const sets = setsOf(config);
  const members = { ...words('effective', sets.effective), ...words('permitted', sets.permitted), ...words('inheritable', sets.inheritable) };
  const step = part('container', '/process/capabilities');
  const ambient = part('container', '/process/capabilities/ambient');
  return [
    step('prctl', [PR_SET_KEEPCAPS, 0, 0, 0, 0], 'only the change of ids was to keep them'),
    step('capset', [{ struct: 'cap_header', members: { version: LINUX_CAPABILITY_VERSION } }, { struct: 'cap_data', members }], 'the three sets as config.json has them'),
    ambient('prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0], ''),
    ...capabilityNumbers(sets.ambient).map((number) => ambient('prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0], 'EPERM where it is not inheritable too: runc’s own spec asks for that', { tolerate: ['EPERM'] })),
  ];
}

function words(set: string, names: readonly string[] | undefined): Record<string, number> {
  let low = 0;
  let high = 0;
  for (const number of capabilityNumbers(names)) {
    if (number < 32) low += 2 ** number;
    else high += 2 ** (number - 32);
  }
  return { [set]: low, [`${set}_high`]: high };
}
