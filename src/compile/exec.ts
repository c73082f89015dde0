// THE ORDER of `exec`: another process enters a container that exists, each part with the reason for its place.
import type { Program, Step } from '../program/step.ts';
import { execveSteps, findExecutable } from './args.ts';
import { capabilities, dropBoundingSet } from './capabilities.ts';
import { initialDescriptors } from './descriptors.ts';
import { attachToUnit, birthInside, enterNamespaces, inheritedByExec, openContainer, settleInside, type ExecContext } from './enter.ts';
import { initialAffinity, finalAffinity } from './exec-cpu-affinity.ts';
import { intelRdtTasks } from './intel-rdt.ts';
import { joinKeyring } from './keyring.ts';
import { labels, openProcfs, unlabelKeys } from './labels.ts';
import { noNewPrivileges } from './no-new-privileges.ts';
import { oomScoreAdj } from './oom-score-adj.ts';
import { pidfdSocket } from './pidfd-socket.ts';
import { rlimits, rlimitsFromOutside } from './rlimits.ts';
import { scheduling } from './scheduler.ts';
import { seccompPrivileged, seccompUnprivileged } from './seccomp.ts';
import { ownStdio } from './stdio.ts';
import { terminal } from './terminal.ts';
import { cwd, user } from './user.ts';

export function compileExec(context: ExecContext): Program {
  const inherited = inheritedByExec(context);
  const steps: Step[] = [
    ...openContainer(context), //                   by the runtime, while paths are still the host's

    // The interpreter, still in the runtime's namespaces and with its rights.
    ...initialDescriptors(context, inherited), //   before anything is entered: no host descriptor survives (CVE-2024-21626)
    ...attachToUnit(context), //                    systemd moves a process that exists: this one
    ...oomScoreAdj(context), //                     through the host's procfs: the container's may be anything
    ...initialAffinity(context), //                 config.md#linux-process: before the cgroup is entered
    ...openProcfs(context), //                      for labels: the container's /proc may be anything
    ...enterNamespaces(context),
    ...birthInside(context), //                     from here on it is the process; the interpreter's first one ends
    ...intelRdtTasks(context), //                   the class of service of the container is no one's by birth: the runtime made this process
    ...settleInside(context),

    // From here on as in create.ts, for the same reasons.
    ...labels(context),
    ...joinKeyring(context), //                     the container's, which create made
    ...unlabelKeys(context),
    ...terminal(context, false), //                 its pty belongs to the container's devpts; /dev/console is init's
    ...pidfdSocket(context),
    ...rlimits(context),
    ...scheduling(context),
    ...finalAffinity(context), //                   config.md#linux-process: after the cgroup was entered
    ...dropBoundingSet(context),
    ...noNewPrivileges(context),
    ...cwd(context), //                             not made when missing, as in runc
    ...ownStdio(context),
    ...seccompPrivileged(context),
    ...user(context), //                            ends with the check that the working directory is inside (CVE-2024-21626)
    ...capabilities(context),
    ...findExecutable(context),
    ...seccompUnprivileged(context),
    ...rlimitsFromOutside(context),
    ...execveSteps(context), //                     end of file on the hand-over socket says that it worked
  ];
  return { steps, inherited };
}
