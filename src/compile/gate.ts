// Between `created` and `running`: init waits on a socket in the state directory; `start` connects and learns whether execve worked.
import { AF_UNIX, SOCK_CLOEXEC, SOCK_SEQPACKET } from '../../native/linux/constants.ts';
import { GATE } from '../prepared/facts.ts';
import { part, slot, type Step } from '../program/step.ts';
import { execveSteps } from './args.ts';
import type { Context } from './context.ts';

/** sockaddr_un(7); the state directory is opened by the runtime when its path is too long, which this never sees. */
function address(path: string): Buffer {
  const bytes = Buffer.alloc(2 + Buffer.byteLength(path) + 1);
  bytes.writeUInt16LE(AF_UNIX, 0);
  bytes.write(path, 2);
  return bytes;
}

export function listenAtGate({ request }: Context): readonly Step[] {
  const step = part('runtime', '');
  const bytes = address(`${request.gateDirectory}/${GATE}`);
  return [
    step('socket', [AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0], 'messages keep their bounds', { result: 'gate' }),
    step('bind', [slot('gate'), { bytes }, bytes.length], 'in the state directory; `start` connects there'),
    step('listen', [slot('gate'), 1], ''),
  ];
}

export function gate({ request }: Context): readonly Step[] {
  const step = part('container', '');
  return [
    part('runtime', '')('publish', [`${request.stateDirectory}/state.json`, request.pidFile ?? null], 'status created (runtime.md#lifecycle step 5)'),
    step('release_pages', [], 'a waiting init costs next to nothing'),
    step('accept4', [slot('gate'), 0, 0, SOCK_CLOEXEC], 'waits for `start`; end of file there will mean that execve worked', { result: 'starter' }),
    step('report_to', [slot('starter')], 'a failing execve is `start`’s to report'),
    step('close', [slot('gate')], 'one start only'),
  ];
}

export function runProcess(context: Context): readonly Step[] {
  return execveSteps(context);
}

