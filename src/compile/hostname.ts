// hostname, domainname (uts_namespaces(7)).
import { part, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

export function hostname({ config }: Context): readonly Step[] {
  const set = (op: 'sethostname' | 'setdomainname', at: string, name: string | undefined): Step[] =>
    name ? [part('container', at)(op, [{ bytes: Buffer.from(name) }, Buffer.byteLength(name)], 'in the uts namespace')] : [];
  return [...set('sethostname', '/hostname', config.hostname), ...set('setdomainname', '/domainname', config.domainname)];
}
