// A fresh network namespace has its loopback down (network_namespaces(7), netdevice(7)).
import { AF_INET, IFF_UP, SIOCSIFFLAGS, SOCK_CLOEXEC, SOCK_DGRAM } from '../../native/linux/constants.ts';
import { part, slot, type Step } from '../program/step.ts';
import { isNew, namespacePointer, type Context } from './context.ts';

export function loopback({ config }: Context): readonly Step[] {
  if (!isNew(config, 'network')) return [];
  const step = part('container', namespacePointer(config, 'network'));
  return [
    step('socket', [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0], 'any socket of the namespace takes the ioctl', { result: 'inet' }),
    step('ioctl', [slot('inet'), SIOCSIFFLAGS, { struct: 'ifreq', members: { ifr_name: 'lo', ifr_flags: IFF_UP } }], 'loopback up, as runc and crun do'),
    step('close', [slot('inet')], ''),
  ];
}
