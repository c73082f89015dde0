// Moves one network device into a container's network namespace (config-linux.md#network-devices).
import { closeSync } from 'node:fs';
import { AF_NETLINK, NETLINK_ROUTE, SOCK_CLOEXEC, SOCK_DGRAM } from '../../native/linux/constants.ts';
import { errnoNumber } from '../../native/linux/errno.ts';
import { addAddress, globalAddresses, links, moveLink, setLinkUp } from '../../native/linux/rtnetlink.ts';
import { call } from '../../native/linux/syscalls.ts';

/**
 * From the runtime's namespace into that of `pid`, where `inside` is a rtnetlink socket. 0 or -errno. What it loses on
 * the way and keeps by the runtime-spec, its permanent global addresses, is given back, and it is set up.
 */
export function moveNetDevice(inside: number, name: string, newName: string, pid: number): number {
  const socket = call('socket', AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (socket < 0) return socket;
  try {
    const here = links(socket);
    if (typeof here === 'number') return here;
    const index = here.get(name);
    if (index === undefined) return -errnoNumber('ENODEV');
    const addresses = globalAddresses(socket, index);
    if (typeof addresses === 'number') return addresses;
    const before = links(inside);
    if (typeof before === 'number') return before;
    const moved = moveLink(socket, index, newName, pid);
    if (moved < 0) return moved;
    const after = links(inside);
    if (typeof after === 'number') return after;
    // Its index may be another there, and its name the kernel's choice: it is the one that was not there before.
    const arrived = [...after].find(([, one]) => ![...before.values()].includes(one))?.[1];
    if (arrived === undefined) return -errnoNumber('ENODEV');
    for (const address of addresses) {
      const added = addAddress(inside, arrived, address);
      if (added < 0) return added;
    }
    return setLinkUp(inside, arrived);
  } finally {
    closeSync(socket);
  }
}
