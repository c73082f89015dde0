// Twelve bundles that do not start, each broken in one place, as people break them.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { baseConfig, Json } from '../harness.ts';

export type Config = ReturnType<typeof baseConfig>;

export interface Case {
  readonly title: string;
  /** The change, as the guide shows it. */
  readonly shown: string;
  readonly change: (config: Config, directory: string) => unknown;
  /** Instead of a change to the value: a change to the text. */
  readonly spoil?: (text: string) => string;
  /** Any way to say which place of config.json it is: its key, its value, its line. */
  readonly place: RegExp;
  /** The reason itself. */
  readonly cause: RegExp;
  /** The way to the fix. */
  readonly fix: string;
}

const line = /config\.json:\d+:\d+/;
const at = (place: RegExp): RegExp => new RegExp(`${line.source}|${place.source}`);
const mount = (config: Config, entry: Json): number => config.mounts.push(entry);

export const cases: readonly Case[] = [
  {
    title: 'A comma is missing', shown: '"cwd": "/"  "env": [ … ]', change: () => {}, spoil: (text) => text.replace(/("cwd": "[^"]*"),/, '$1'),
    place: at(/line \d+|offset \d+/), cause: /expected ","|expect ','|missing (a )?comma|after object key:value pair|unallowed token|value pair/,
    fix: 'The place is where the parser stops: the comma belongs at the end of the line before.',
  },
  {
    title: 'A namespace that does not exist', shown: '"linux": { "namespaces": [ { "type": "pids" } ] }', change: (config) => ((config.linux['namespaces'] as Json[])[0]!['type'] = 'pids'),
    place: at(/pids/), cause: /must be one of|does not exist|invalid namespace/, fix: 'The error lists the eight that there are, and the nearest.',
  },
  {
    title: 'A tmpfs size that is none', shown: '"mounts": [ …, { "destination": "/data", "type": "tmpfs", "options": ["nosuid", "size=banana"] } ]',
    change: (config) => mount(config, { destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'size=banana'] }), place: at(/banana|[`/]data/), cause: /Bad value|banana.*(invalid|not)/,
    fix: 'The pointer ends in the option, and the kernel’s own words say what it did not take. `runt explain --at /mounts/6` shows the call.',
  },
  {
    title: 'A volume that is not there', shown: '"mounts": [ …, { "destination": "/data", "type": "bind", "source": "/srv/nowhere", "options": ["rbind"] } ]',
    change: (config) => mount(config, { destination: '/data', type: 'bind', source: '/srv/nowhere', options: ['rbind'] }), place: at(/\/srv\/nowhere/), cause: /source does not exist|no such file or directory|No such file or directory/,
    fix: 'Make the directory, or mend the source. `runt validate` finds it without trying. `runt run --break on-error` stops there: make it in the shell, `retry`.',
  },
  {
    title: 'A directory mounted on a file', shown: '"mounts": [ …, { "destination": "/etc/passwd", "type": "bind", "source": "/srv", "options": ["bind"] } ]',
    change: (config) => mount(config, { destination: '/etc/passwd', type: 'bind', source: '/srv', options: ['bind'] }), place: at(/etc\/passwd/), cause: /is a directory and the destination a file|not a directory|Not a directory/,
    fix: 'Most often the host made an empty directory where a file was meant to be: look at the source.',
  },
  {
    title: 'An overlay without its lower directory', shown: '"mounts": [ …, { "destination": "/data", "type": "overlay", "options": ["lowerdir=/srv/nowhere"] } ]',
    change: (config) => mount(config, { destination: '/data', type: 'overlay', source: 'overlay', options: ['lowerdir=/srv/nowhere'] }), place: at(/[`/]data|lowerdir/), cause: /lowerdir.*(does not exist|resolve|No such)|failed to resolve|no such file or directory|No such file or directory/,
    fix: 'A layer is missing: mend lowerdir.',
  },
  {
    title: 'A namespace to join that is of another kind', shown: '"namespaces": [ …, { "type": "network", "path": "/proc/self/ns/uts" } ]', change: (config) => ((config.linux['namespaces'] as Json[])[1]!['path'] = '/proc/self/ns/uts'),
    place: at(/network|net namespace|\/proc\/self\/ns\/uts/), cause: /another kind|[Ii]nvalid argument/, fix: 'The path ends in the name of the kind: net, not uts.',
  },
  {
    title: 'A command that is not in the image', shown: '"process": { "args": ["nginx"], "env": ["PATH=/bin:/usr/bin"] }', change: (config) => (config.process['args'] = ['nginx']),
    place: at(/nginx/), cause: /not found in \$PATH/, fix: 'Install it, mend PATH, or give the whole path. `runt validate` looks it up in the rootfs beforehand.',
  },
  {
    title: 'A script whose interpreter is not in the image', shown: '"process": { "args": ["/entrypoint"] }, and /entrypoint begins with #!/usr/bin/python9',
    change: (config, directory) => {
      writeFileSync(join(directory, 'rootfs/entrypoint'), '#!/usr/bin/python9\n');
      chmodSync(join(directory, 'rootfs/entrypoint'), 0o755);
      config.process['args'] = ['/entrypoint'];
    },
    place: at(/entrypoint/), cause: /interpreter|missing dynamic library/, fix: 'The file that does not exist is not the one that is named: install what its first line names. A binary says the same when its dynamic loader is missing.',
  },
  {
    title: 'A limit that contradicts itself', shown: '"process": { "rlimits": [ { "type": "RLIMIT_NOFILE", "soft": 2048, "hard": 1024 } ] }',
    change: (config) => (config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 2048, hard: 1024 }]),
    place: at(/RLIMIT_NOFILE|rlimits/), cause: /above the hard limit|soft.*(exceed|greater|larger)/, fix: 'The soft limit may be at most the hard one.',
  },
  {
    title: 'A user that is not mapped', shown: '"process": { "user": { "uid": 70000 } }, "linux": { "namespaces": [ …, { "type": "user" } ], "uidMappings": [ { "containerID": 0, "hostID": 100000, "size": 65536 } ] }',
    change: (config, directory) => {
      mkdirSync(directory, { recursive: true });
      (config.linux['namespaces'] as Json[]).push({ type: 'user' });
      const map = [{ containerID: 0, hostID: 100000, size: 65536 }];
      Object.assign(config.linux, { uidMappings: map, gidMappings: map });
      config.process['user'] = { uid: 70000, gid: 0 };
    },
    place: at(/uid|70000|setresuid/), cause: /not mapped/, fix: 'A larger mapping, or another user.',
  },
  {
    title: 'A hook that fails', shown: '"hooks": { "createRuntime": [ { "path": "/bin/sh", "args": ["sh", "-c", "echo no route to registry >&2; exit 3"] } ] }',
    change: (config) => (config['hooks'] = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'echo no route to registry >&2; exit 3'] }] }),
    place: at(/createRuntime|hook #?0|hook `/), cause: /no route to registry/, fix: 'What the hook said is part of the error. `runt run --break hook` stops just before it.',
  },
];
