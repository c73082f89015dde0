// --pidfd-socket: who asks for it gets a descriptor of the process (pidfd_open(2)), in the console socket's protocol.
import { part, slot, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

export function pidfdSocket({ request }: Context): readonly Step[] {
  if (request.pidfdSocket === undefined) return [];
  const step = part('runtime', '');
  return [
    step('pidfd_open', [slot('init'), 0], '--pidfd-socket: while it waits for us its pid cannot be another’s', { result: 'pidfd' }),
    step('send_fd', [request.pidfdSocket, slot('pidfd'), 'pidfd'], 'its owner need not trust a number'),
    step('close', [slot('pidfd')], ''),
  ];
}
