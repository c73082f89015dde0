// compare.ts RUNTIME...: every check against every runtime, as a table in Markdown: for docs/security.md. In a private view (v2-view.sh).
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { Runtime } from '../harness.ts';
import { Subject } from './bundles.ts';
import { checks } from './checks.ts';

const paths = process.argv.slice(2).map((path) => resolve(path));
const runtimes = paths.map((path) => new Runtime(path));
const versions = paths.map((path) => spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0]!.replace(' version', ''));
const notes: string[] = [];
console.log(`| what holds | about | ${versions.join(' | ')} |\n|---|---|${'---|'.repeat(paths.length)}`);
const wanted = new RegExp(process.env['CHECKS'] ?? '');
for (const { about, holds, check } of checks.filter((one) => wanted.test(one.about) || wanted.test(one.holds))) {
  const results = runtimes.map((runtime, index) => {
    try {
      check(new Subject(runtime));
      return 'holds';
    } catch (error) {
      notes.push(`- ${versions[index]!}, ${about}: ${(error as Error).message.trim().split('\n')[0]!}`);
      return `**fails** (${notes.length})`;
    }
  });
  console.log(`| ${holds} | ${about} | ${results.join(' | ')} |`);
}
console.log(`\n${notes.map((note, index) => note.replace('- ', `${index + 1}. `)).join('\n')}`);
for (const runtime of runtimes) runtime.close();
process.exit(0);
