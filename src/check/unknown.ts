// Keys and names in config.json that nothing knows: runtimes ignore them, so a slip of the hand does nothing in silence.
import { capabilityNames, capabilitySets } from '../compile/capabilities.ts';
import { schema } from '../../spec/schema/config.ts';
import type { Config } from '../../spec/config.ts';
import { nearest, show, type Issue } from '../../spec/validate.ts';

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly additionalProperties?: Node | boolean;
}

/** Keys that only other platforms have (config.md#platform-specific-configuration): known, and nothing to do here. */
const elsewhere = new Set(['/windows', '/solaris', '/vm', '/zos', '/freebsd', '/process/commandLine', '/process/user/username', '/root/type']);

/** A warning for each unknown key, with the known one it is nearest to. */
export function unknownKeys(document: unknown): readonly Issue[] {
  const issues: Issue[] = [];
  visit(document, schema as Node, '', issues);
  return issues;
}

/** A warning for each name in a set of capabilities that is none. */
export function unknownCapabilities({ process }: Config): readonly Issue[] {
  return capabilitySets.flatMap((set) => (process?.capabilities?.[set] ?? []).flatMap((name, index): Issue[] => {
    if (capabilityNames.includes(name.toUpperCase())) return [];
    const near = nearest(name, capabilityNames);
    return [{ pointer: `/process/capabilities/${set}/${index}`, found: show(name), expected: 'is no capability, and is ignored', severity: 'warning', ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }) }];
  }));
}

function visit(value: unknown, node: Node | undefined, pointer: string, issues: Issue[]): void {
  if (node === undefined || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) return value.forEach((item, index) => visit(item, node.items, `${pointer}/${index}`, issues));
  for (const [key, member] of Object.entries(value)) {
    const at = `${pointer}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`;
    const known = node.properties?.[key] ?? (typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined);
    if (known !== undefined) visit(member, known, at, issues);
    else if (node.properties !== undefined && node.additionalProperties === undefined && !elsewhere.has(at)) {
      const near = nearest(key, Object.keys(node.properties));
      issues.push({ pointer: at, found: show(key), expected: 'is no key of the runtime-spec here, and is ignored', severity: 'warning', ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }) });
    }
  }
}
