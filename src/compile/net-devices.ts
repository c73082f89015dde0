// linux.netDevices (config-linux.md#network-devices): network devices of the runtime's namespace move into the container's.
import { AF_NETLINK, NETLINK_ROUTE, SOCK_CLOEXEC, SOCK_DGRAM } from '../../native/linux/constants.ts';
import { part, slot, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

/** The socket is made inside, so that addresses can be set there; the runtime, who owns the devices, speaks over it. */
export function netDevices({ config }: Context): readonly Step[] {
  const devices = Object.entries(config.linux?.netDevices ?? {});
  if (devices.length === 0) return [];
  return [
    part('container', '/linux/netDevices')('socket', [AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE], 'rtnetlink(7) of the container’s network namespace', { result: 'rtnetlink' }),
    ...devices.map(([name, device]) => {
      const at = `/linux/netDevices/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`;
      return part('runtime', at)('move_net_device', [slot('rtnetlink'), name, device.name || name], 'its permanent global addresses go along, and it is set up');
    }),
    part('container', '/linux/netDevices')('close', [slot('rtnetlink')], ''),
  ];
}
