// process.terminal, process.consoleSize: a pty of the container's own devpts (pts(4), ioctl_tty(2)).
import {
  AT_EMPTY_PATH, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH, O_CLOEXEC, O_NOCTTY, O_PATH, O_RDWR, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE, S_IFREG,
  TIOCGPTPEER, TIOCSCTTY, TIOCSPTLCK, TIOCSWINSZ,
} from '../../native/linux/constants.ts';
import { part, slot, type Step } from '../program/step.ts';
import type { Context } from './context.ts';
import { hasOwnDev } from './devices.ts';
import { openInRoot } from './paths.ts';

/** `bindsConsole`: also as /dev/console, where init's first terminal belongs. */
export function terminal(context: Context, bindsConsole = hasOwnDev(context)): readonly Step[] {
  const session = part('container', '')('setsid', [], 'signals of the caller’s terminal do not reach the container');
  if (context.config.process?.terminal !== true || context.request.console.kind === 'none') return [session];
  const step = part('container', '/process/terminal');
  const size = context.config.process.consoleSize;
  const steps: Step[] = [
    session,
    openInRoot('/process/terminal', 'ptmx', 'dev/pts/ptmx', O_RDWR | O_NOCTTY, 'the container’s instance, so that /dev/pts/N means the same inside'),
    step('ioctl', [slot('ptmx'), TIOCSPTLCK, { struct: 'int', members: { value: 0 } }], 'unlockpt(3)'),
    step('ioctl', [slot('ptmx'), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC], 'by descriptor: /dev/pts/N could have been replaced (CVE-2025-52565)', { result: 'pts' }),
  ];
  const width = Number(size?.width ?? 0);
  const height = Number(size?.height ?? 0);
  if (width > 0 && height > 0) {
    const winsize = { struct: 'winsize', members: { ws_row: height, ws_col: width } } as const;
    steps.push(part('container', '/process/consoleSize')('ioctl', [slot('pts'), TIOCSWINSZ, winsize], ''));
  }
  if (bindsConsole) {
    steps.push(
      step('mknodat', [slot('dev'), 'console', S_IFREG | 0o620, 0], 'a file to bind the pty on', { tolerate: ['EEXIST'] }),
      openInRoot('/process/terminal', 'consolefile', 'dev/console', O_PATH, 'in-root'),
      step('open_tree', [slot('pts'), '', OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH], 'config-linux.md#default-devices', { result: 'console' }),
      step('move_mount', [slot('console'), '', slot('consolefile'), '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH], ''),
    );
  }
  const user = context.config.process.user;
  steps.push(
    step('fchown', [slot('pts'), Number(user?.uid ?? 0), -1], 'the user may open its own terminal again', { tolerate: ['EINVAL', 'EPERM'] }),
    step('ioctl', [slot('pts'), TIOCSCTTY, 0], 'the controlling terminal of the new session'),
    ...[0, 1, 2].map((fd) => step('dup3', [slot('pts'), fd, 0], 'standard input, output and error')),
  );
  const destination = context.request.console;
  const give = part('runtime', '/process/terminal');
  steps.push(give('send_fd', [destination.kind === 'socket' ? destination.path : '', slot('ptmx'), '/dev/ptmx'], 'the caller holds the other end'));
  steps.push(step('close', [slot('ptmx')], 'the container keeps no master'));
  return steps;
}
