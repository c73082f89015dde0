// Writes the twelve cases of docs/debugging.md from a real run of runc, crun and runt: conformance/v2-view.sh tsx conformance/debugging/generate.ts
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases } from './cases.ts';
import { runCase } from './run.ts';

const guide = join(import.meta.dirname, '../../docs/debugging.md');
const runtimes = [['runc', '/usr/sbin/runc'], ['crun', '/usr/bin/crun'], ['runt', join(process.cwd(), 'dist/runt')]] as const;
const version = (path: string): string => spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0]!;
const counts = new Map(runtimes.map(([name]) => [name, { place: 0, cause: 0, both: 0, line: 0 }]));

const sections = cases.map((one, index) => {
  const blocks = runtimes.map(([name, path]) => {
    const { text, code } = runCase(path, one);
    const [place, cause] = [one.place.test(text), one.cause.test(text)];
    const count = counts.get(name)!;
    count.place += Number(place);
    count.cause += Number(cause);
    count.both += Number(place && cause);
    count.line += Number(/config\.json:\d+:\d+/.test(text));
    if (code === 0) throw new Error(`${name} started the container of "${one.title}"`);
    return `**${name}** (${place ? 'place' : 'no place'}, ${cause ? 'cause' : 'no cause'})\n\n\`\`\`text\n${text}\n\`\`\`\n`;
  });
  return `### ${index + 1}. ${one.title}\n\n\`\`\`text\n${one.shown}\n\`\`\`\n\n${blocks.join('\n')}\n${one.fix}\n`;
});

const rows = runtimes.map(([name, path]) => {
  const { place, cause, both, line } = counts.get(name)!;
  return `| ${version(path)} | ${place} | ${cause} | ${both} | ${line} |`;
});
const table = `| of twelve | names the place | names the cause | both | line and column |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
const marked = (text: string, name: string, content: string): string => text.replace(new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`), (_, begin: string, end: string) => `${begin}${content}${end}`);
const before = readFileSync(guide, 'utf8');
writeFileSync(guide, marked(marked(before, 'table', table), 'cases', sections.join('\n')));
console.log(table);
