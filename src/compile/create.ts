// THE ORDER of `create`: every part of a container's birth, each with the reason for its place.
import type { Copies, Program, Step } from '../program/step.ts';
import { capabilities, dropBoundingSet } from './capabilities.ts';
import { cgroup } from './cgroups-path.ts';
import type { Context } from './context.ts';
import { devices } from './devices.ts';
import { gate, listenAtGate, runProcess } from './gate.ts';
import { containerHooks, runtimeHooks, startHooks } from './hooks.ts';
import { hostname } from './hostname.ts';
import { becomeRoot, hideFromTracing, idMappings } from './id-mappings.ts';
import { closeSetUp, inheritedDescriptors, initialDescriptors } from './descriptors.ts';
import { findExecutable } from './args.ts';
import { intelRdt, intelRdtTasks } from './intel-rdt.ts';
import { keyring } from './keyring.ts';
import { labels, openProcfs, unlabelKeys } from './labels.ts';
import { maskedPaths } from './masked-paths.ts';
import { mounts, mountSources, idmapSources, keptMounts } from './mounts.ts';
import { birth, cgroupNamespace, joinNamespaces, timeOffsets } from './namespaces.ts';
import { loopback } from './network.ts';
import { netDevices } from './net-devices.ts';
import { noNewPrivileges } from './no-new-privileges.ts';
import { oomScoreAdj } from './oom-score-adj.ts';
import { pidfdSocket } from './pidfd-socket.ts';
import { pivotRoot, prepareRoot, rootPropagation, rootReadonly, rootSource } from './root.ts';
import { readonlyPaths } from './readonly-paths.ts';
import { resources } from './resources.ts';
import { rlimits, rlimitsFromOutside } from './rlimits.ts';
import { scheduling } from './scheduler.ts';
import { scope } from './scope.ts';
import { seccompLast, seccompPrivileged, seccompWithListener } from './seccomp.ts';
import { ownStdio } from './stdio.ts';
import { sysctl } from './sysctl.ts';
import { terminal } from './terminal.ts';
import { cwd, makeCwd, user } from './user.ts';

export function compileCreate(context: Context): Program {
  const { host } = context;
  const sources = [...rootSource(context), ...mountSources(context)];
  const steps: (Step | Copies)[] = [
    ...cgroup(context), //               first: clone3 puts init straight into it (CLONE_INTO_CGROUP)
    ...resources(context), //            limits hold before the first process is inside
    ...intelRdt(context), //             the same for cache and memory bandwidth
    ...listenAtGate(context), //         the socket exists before init does, so `start` can never come too early

    // The interpreter, still in the runtime's namespaces and with its rights.
    ...initialDescriptors(context), //   before anything is opened: no host descriptor survives (CVE-2024-21626)
    ...scope(context), //                systemd makes a cgroup around a process that exists: this one, which init replaces
    ...oomScoreAdj(context), //          inherited by clone3; lowering it later would need rights over the host
    ...(host.isPrivileged ? sources : []), // paths of the host are opened with the host's rights: a mapped root may not search their parents
    ...openProcfs(context), //           for labels: a joined mount namespace may show anything on /proc
    ...timeOffsets(context), //          a time namespace takes offsets only while it is empty (time_namespaces(7))
    ...joinNamespaces(context), //       before clone3: init is born inside them, and pid and time hold for children only
    ...birth(context), //                from here on it is init; the interpreter's first process ends

    ...idMappings(context), //           the runtime writes them: init waits, without ids it can do nothing
    ...intelRdtTasks(context), //        as early as its pid is known; the runtime has its turn here anyway
    ...(host.isPrivileged ? [] : sources), // an ordinary user may clone mounts only in a mount namespace of its own
    ...idmapSources(context), //         needs the sources, the mapped user namespace, and rights over the source's file system
    ...prepareRoot(context), //          still as the host's root: parents of the rootfs may be closed to the container's ids
    ...becomeRoot(context), //           files made from here on belong to the container's root
    ...cgroupNamespace(context), //      after the cgroup was entered (its root is where we are), before cgroup2 is mounted
    ...labels(context), //               by init itself: a label can be written by its owner alone, to hold from execve on
    ...keyring(context), //              before any hook could add a key to the caller's session
    ...unlabelKeys(context),
    ...loopback(context), //             in the container's network namespace; hooks expect it up
    ...netDevices(context), //           the same, before hooks that configure the network
    ...hostname(context),

    ...mounts(context), //               before pivot_root, in the order listed (config.md#mounts)
    ...devices(context), //              after mounts: usually into the tmpfs on /dev
    ...makeCwd(context), //              below any mount, before anything becomes read-only
    ...terminal(context), //             after devpts is mounted: its pty belongs to the container's instance
    ...runtimeHooks(context), //         after mounts, before pivot_root (config.md#createruntime-hooks)
    ...hideFromTracing(context), //      before anything of the container's own could look
    ...containerHooks(context), //       after those (config.md#createcontainer-hooks): paths are still the host's
    ...sysctl(context), //               through a procfs of our own, before read-only paths
    ...keptMounts(context), //           /dev and tmpfs become read-only: now nothing more is created in them
    ...maskedPaths(context), //          after hooks: they may still need what is masked
    ...readonlyPaths(context),
    ...rootReadonly(context), //         last change to the root mount
    ...pivotRoot(context), //            everything before used descriptors below the rootfs; from here paths are the container's
    ...rootPropagation(context), //      shared or unbindable would forbid pivot_root
    ...closeSetUp(context), //           from here on nothing below the old root is needed

    ...rlimits(context), //              late: a small RLIMIT_NOFILE would have stopped the mounts
    ...scheduling(context), //           priorities need rights that the next lines give away
    ...dropBoundingSet(context), //      needs CAP_SETPCAP, before the ids change
    ...noNewPrivileges(context), //      decides when seccomp may load
    ...cwd(context), //                  as root; once more as the user, where root may not
    ...ownStdio(context), //             while root may still change an owner
    ...seccompPrivileged(context), //    without no_new_privs only CAP_SYS_ADMIN may load a filter: before ids change
    ...user(context), //                 groups, gid, uid, then cwd again: it may be open to the user alone
    ...capabilities(context), //         after setresuid, which clears what is effective
    ...findExecutable(context), //       as the user, in the container's PATH: a missing binary fails `create`
    ...seccompWithListener(context), //  the runtime sends the listener on, and leaves after publish
    ...rlimitsFromOutside(context), //   by the runtime: raising needs rights over the host
    ...pidfdSocket(context), //          before anyone is told that the container exists
    ...gate(context), //                 publish `created`, then wait for `start`
    ...startHooks(context), //           config.md#startcontainer-hooks: after start, before the process
    ...seccompLast(context), //          as late as possible: of ours the filter sees execve alone
    ...runProcess(context), //           execve; the descriptors of the set-up close with it
  ];
  return { steps, inherited: inheritedDescriptors(context) };
}
