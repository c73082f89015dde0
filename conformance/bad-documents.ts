// Files that are no config.json: broken JSON, things that are no file, and names no container may have.
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import type { Case } from './bad-bundles.ts';

const text = (name: string, content: string | Uint8Array, expected: RegExp): Case => ({ name, prepare: () => content, expected });
const notJson = /^runt: create \S+: config\.json is not JSON: .*\n {2}config\.json:\d+:\d+/;
const good = '{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": {"args": ["a"], "cwd": "/"}';

/** The file is no document. */
export const documents: readonly Case[] = [
  text('empty', '', /not JSON: the file is empty\n {2}config\.json:1:1/),
  text('only white space', ' \n\t\n', notJson),
  text('a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(`${good}}`)]), /byte order mark/),
  text('UTF-16', Buffer.from(`${good}}`, 'utf16le'), notJson),
  text('bytes that are not UTF-8', Buffer.concat([Buffer.from('{"ociVersion":\n "'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]), /not UTF-8\n {2}config\.json:2:3/),
  text('an ELF file', Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(64)]), notJson),
  text('cut off', good, notJson),
  text('cut off within a string', '{"ociVersion": "1.0', notJson),
  text('a trailing comma', `${good},}`, notJson),
  text('a comma too many in a list', '{"a": [1,,2]}', notJson),
  text('text after the end', `${good}} x`, /after the end/),
  text('two documents', `${good}}{}`, /after the end/),
  text('a comment', `// mine\n${good}}`, notJson),
  text('single quotes', "{'ociVersion': '1.0.2'}", notJson),
  text('a key without quotes', '{ociVersion: "1.0.2"}', notJson),
  text('NaN', '{"a": NaN}', notJson),
  text('a number with a leading zero', '{"a": 0777}', notJson),
  text('hexadecimal', '{"a": 0x1ff}', notJson),
  text('a line break in a string', '{"a": "b\nc"}', notJson),
  text('an escape that is none', '{"a": "\\x41"}', notJson),
  text('a NUL byte', '{"a": 1}\0', notJson),
  text('lists nested 100,000 deep', `{"a": ${'['.repeat(100_000)}`, notJson),
  text('lists nested 5,000 deep and closed again', `${good}, "a": ${'['.repeat(5000)}${']'.repeat(5000)}}`, /nested deeper than 512/),
  text('objects nested 5,000 deep', `${good}, "a": ${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`, /nested deeper than 512/),
  text('a key twice', `${good},\n "root": {"path": "/"}}`, /the key "root" comes a second time in one object\n {2}config\.json:2:2/),
  text('a key twice, deep inside', `${good}, "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "defaultAction": "SCMP_ACT_KILL"}}}`, /"defaultAction" comes a second time/),
  text('null', 'null', /config cannot be null/),
  text('a list', '[]', /an object: got \[\]/),
  text('a string', '"config"', /an object: got "config"/),
  text('a number', '42', /an object/),
  text('true', 'true', /an object/),
  text('an empty object', '{}', /ociVersion is required/),
];

/** What lies where config.json should. */
export const files: readonly { readonly name: string; readonly make: (path: string) => void; readonly bundle?: (bundle: string) => string; readonly expected: RegExp }[] = [
  { name: 'missing', make: () => {}, expected: /JSON specification file config\.json not found/ },
  { name: 'a directory', make: (path) => mkdirSync(path), expected: /config\.json is not a regular file/ },
  { name: 'a fifo that nobody writes to', make: (path) => void spawnSync('mkfifo', [path]), expected: /config\.json is not a regular file/ },
  { name: 'a symlink to /dev/zero', make: (path) => symlinkSync('/dev/zero', path), expected: /config\.json is not a regular file/ },
  { name: 'a symlink to nothing', make: (path) => symlinkSync('nothing', path), expected: /config\.json not found/ },
  { name: 'a symlink to itself', make: (path) => symlinkSync(path, path), expected: /config\.json: ELOOP/ },
  { name: '200 MB', make: (path) => {
    writeFileSync(path, '{');
    truncateSync(path, 200 << 20);
  }, expected: /config\.json is larger than 64 MiB/ },
  { name: '8 MB of one key', make: (path) => writeFileSync(path, `{"${'a'.repeat(8 << 20)}`), expected: /config\.json is not JSON[^]*config\.json:1:2/ },
  { name: 'in a bundle that is missing', make: () => {}, bundle: () => '/not/there', expected: /not found in \/not\/there|\/not\/there/ },
  { name: 'in a bundle that is a file', make: () => {}, bundle: () => '/etc/passwd', expected: /bundle \/etc\/passwd is not a directory/ },
];

/** Names no container may have. */
export const ids: readonly string[] = ['', '.', '..', '../x', 'a/b', '/', 'a b', ' ', 'ä', 'a\nb', 'a\tb', 'a*', '$(x)', 'a\u0001', 'x'.repeat(1025), 'a:b', "a'b", 'a\\b'];
