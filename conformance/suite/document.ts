// Makes a part of docs/conformance.md of JSON reports: `tsx conformance/suite/document.ts host|machine FILE...`, where a FILE has one
// report or, a line each, several; of a case that comes again (--filter, after a repair) the last result counts. Fails where a difference has no explanation: one that nobody understood is not documented by printing it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface One { readonly id: string; readonly group: string; readonly section: string; readonly level: string; readonly text: string; readonly result: string; readonly reason?: string }
interface Report { readonly runtimes: readonly { readonly name: string; readonly version: string; readonly cases: readonly One[] }[] }

/** What is behind a difference; the first whose pattern matches "runtime case-id" counts. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/process\/(scheduler|ioPriority|execCPUAffinity)/, 'properties of spec 1.1 and 1.2: this version of the runtime reads them not, and says nothing'],
  [/namespaces\/(new|path-join|monotonic|boottime).*(time|Offsets)/, 'time namespaces came with spec 1.1; this version refuses or loses its init'],
  [/runc namespaces\/path-join: a user namespace/, 'a user namespace by path needs mappings as well here; the spec asks for none'],
  [/namespaces\/domainname|linux\/domain/, 'a property of spec 1.1 (domainname) or one the runtime does not implement (personality): ignored without a word'],
  [/namespaces\/duplicate/, 'a type listed twice is a MUST error; the last entry is taken'],
  [/namespaces\/types: no cgroup/, 'a failed create leaves the cgroup it made (runtime.md#errors)'],
  [/runc process\/uid: a uid above/, 'ids are limited to 31 bits'],
  [/process\/cwd/, 'a relative cwd is taken as it is'], [/process\/env/, 'an entry without "=" disappears'],
  [/mounts\/unknown-option: tmpfs mode/, 'mode= of a tmpfs loses against the mode of the directory that was there; fixed in later versions'],
  [/mounts\/required: tmpfs defaults|features\/recognised/, '"defaults" goes to the filesystem as data, although features lists it; fixed in later versions'],
  [/mounts\/required: the last of two/, 'opposite options are collected, the last one does not win'],
  [/mounts\/(iversion|propagation|recursive|symfollow|idmap|same-mapping|mapping-both|remount)/, 'options of the table of spec 1.1 and later that this version does not know, gets wrong, or passes to the filesystem'],
  [/devices\/mismatch/, 'mknod says EEXIST and that is taken for success (a MUST error)'], [/devices\/available/, 'a device without a type or path is made somehow or passed over'],
  [/linux\/(shared|unbindable|private)/, 'the root is made private again after the propagation was set, or the word is not checked'],
  [/linux\/readonly: options/, 'binding the path anew loses the flags of its mount'],
  [/linux\/(error|moved|mode|unavailable)/, 'netDevices, memoryPolicy (spec 1.3) and intelRdt: ignored where the version does not know them'],
  [/cgroups\/(writable|files)/, 'the owner of a delegated cgroup is changed by runc 1.1 under the systemd driver alone'],
  [/crun cgroups\/(readonly|namespace)/, 'the owner is changed whenever there is a user namespace, which the section advises against'],
  [/cgroups\/(idle|burst)/, 'cpu.idle and cpu.burst are of spec 1.1: this version reads them not, and says nothing'],
  [/cgroups\/checkBeforeUpdate/, 'update sets a limit below the usage, and the kernel kills or reclaims: checkBeforeUpdate (spec 1.1) is not looked at'],
  [/cgroups\/unfit/, 'init is put into a frozen cgroup and create waits for it'], [/cgroups\/invalid/, '".." leads out of the hierarchy and directories are made on the host'],
  [/cgroups\//, 'a limit that this version converts in another way'],
  [/seccomp\/(names|errnoRet-action|defaultErrnoRet-action|flags|listenerPath)/, 'rules of the section that this version does not check, or flags it refuses'],
  [/seccomp\/filter-tight|privileges/, 'calls of the runtime itself come after the filter'],
  [/runc hooks\/.*poststart/, 'poststart hooks run within create, before the program began; fixed in runc 1.2'],
  [/hooks\/state/, 'ociVersion is "1.0", which is no SemVer, or the bundle is given as the container sees it'],
  [/hooks\/path|hooks\/(startContainer|poststart)/, 'the failure of this hook is not reported by start, or the container goes on'],
  [/hooks\/createContainer/, 'the process is still there when create has failed'], [/hooks\/poststop/, 'after a failing poststop hook the next one is not called'],
  [/hooks\//, 'hooks of this kind are handled in another way'],
  [/errors\/(invalid|map|strings)|lifecycle\/validate/, 'the wrong type is not noticed: the property is passed over'], [/errors\/compatible/, 'versions above the one it was written for are refused, although the 1.x series is compatible'],
  [/lifecycle\/invalid-id/, 'ids are not checked for such characters'], [/lifecycle\/process-optional/, 'the message is about something else'],
  [/process\/rlimits-duplicate/, 'a type listed twice is a MUST error; one of the two is taken'], [/lifecycle\/no-process/, 'start of a container without process succeeds and does nothing'],
  [/crun errors\/permission/, 'other words, and EPERM for EACCES'],
  [/state\/rootfs/, 'rootfs is given as config.json has it'], [/callers\/text/, 'other words; managers know both'], [/callers\/(names|unknown):/, 'signals by name: fewer are known, or anything is accepted'],
  [/callers\/keep/, 'no --keep in this version'], [/callers\/events|features/, 'a command this version does not have'], [/callers\//, 'behaves in another way than runc 1.3, which managers are written for'],
  [/security\/affinity/, 'the affinity of the caller is inherited; reset since runc 1.3.1'], [/security\/dev-link/, 'a link at /dev of the image leads to the host (CVE-2025-52565 family)'],
  [/security\/cwd/, 'a descriptor of the host is open when cwd is entered (CVE-2024-21626)'], [/security\//, 'a known weakness of this version'],
];

const order = ['runt (Bun)', 'runt (Node)', 'runc', 'crun'];
const [part, ...files] = process.argv.slice(2);
const reported = files.map((file) => readFileSync(file, 'utf8')).flatMap((content) => (content.startsWith('{"') ? content.trim().split('\n').flatMap((line) => (JSON.parse(line) as Report).runtimes) : (JSON.parse(content) as Report).runtimes));
const runtimes = [...new Map(reported.map((one) => [one.name, one])).values()].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  .map((one) => ({ ...one, cases: [...new Map(reported.filter(({ name }) => name === one.name).flatMap(({ cases }) => cases.map((each) => [each.id, each] as const))).values()] }));
const first = runtimes[0]!.cases, names = runtimes.map(({ name }) => name);
/** Passed of those that could run, for each runtime; one that ran only some cases says so with smaller numbers. */
const sums = (chosen: (one: One) => boolean): string => runtimes.map(({ cases }) => {
  const mine = cases.filter(chosen), skipped = mine.filter(({ result }) => result === 'skip').length;
  return mine.length === 0 ? '-' : `${mine.filter(({ result }) => result === 'pass').length}/${mine.length - skipped}${skipped > 0 ? ` (${skipped} skipped)` : ''}`;
}).join(' | ');
const cell = (text: string): string => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\/tmp\/conformance-\w+/g, '…').replace(/\boci[A-Za-z0-9]{6}\b/g, 'ID').slice(0, 150);
const unexplained: string[] = [];
const why = (name: string, id: string): string => {
  const found = reasons.find(([pattern]) => pattern.test(`${name} ${id}`))?.[1];
  if (found === undefined) unexplained.push(`${name} ${id}`);
  return found ?? '';
};
const grouped = new Map<string, string[]>();
for (const { name, cases } of runtimes) {
  for (const one of cases.filter(({ result }) => result === 'fail')) {
    const key = `${name}\0${why(name, one.id)}`;
    grouped.set(key, [...(grouped.get(key) ?? []), `\`${cell(one.id)}\` (${one.section}, ${one.level}): ${cell(one.reason ?? '')}`]);
  }
}
if (unexplained.length > 0) throw new Error(`no explanation for\n${unexplained.join('\n')}`);
const skipped = [...new Set(first.flatMap(({ result, reason }) => (result === 'skip' ? [cell(reason ?? '')] : [])))];
const today = new Date().toISOString().slice(0, 10), isMachine = part === 'machine';
const heading = isMachine
  ? ['# In the virtual machine', '', `In Debian trixie under QEMU, with every controller of cgroup v2 and a caller in its root, ${today}: all groups`, '(`npm run test:vm -- conformance/vm/suite-*.vmlong.ts`; two machines, an hour). The cgroup group, with runt, is in every run of `npm run test:vm`.']
  : ['# Conformance', '', `Made by \`conformance/suite/document.ts\` from reports of \`npm run conformance -- --runtime … --json\`, ${today}: ${first.length} cases of runtime-spec 1.3`, 'and of what managers rely on. runt-conformance --requirements lists each sentence with its cases, or why it has none.'];
const text = [
  ...heading, '', ...runtimes.map(({ name, version }) => `- ${name}: ${version}`), '',
  `| passed of those that could run | ${names.join(' | ')} |`, `|---|${names.map(() => '---|').join('')}`,
  ...[...new Set(first.map(({ group }) => group))].map((group) => `| ${group} | ${sums((one) => one.group === group)} |`), `| **all** | ${sums(() => true)} |`, '',
  ...(skipped.length > 0 ? [`Skipped by the first: ${skipped.join('; ')}.`, ''] : []), isMachine ? '## Every difference in the machine' : '## Every difference', '',
  ...names.flatMap((name) => {
    const own = [...grouped].filter(([key]) => key.startsWith(`${name}\0`));
    return [`### ${name}${isMachine ? ' in the machine' : ''}`, '', ...(own.length === 0 ? ['None.', ''] : own.flatMap(([key, lines]) => [`**${key.split('\0')[1]}**`, '', ...lines.map((line) => `- ${line}`), '']))];
  }),
].join('\n');
const path = join(import.meta.dirname, '../../docs/conformance.md');
const [host = '', machine = ''] = readFileSync(path, 'utf8').split(/(?=^# In the virtual machine$)/m);
writeFileSync(path, isMachine ? `${host.trimEnd()}\n\n${text.trimEnd()}\n` : `${text.trimEnd()}\n\n${machine}`);
