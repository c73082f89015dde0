// The ways by which the memory of a checkpoint travels: ahead of it (--pre-dump), to a server (--page-server), and when it is touched (--lazy-pages).
import { mkdirSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { bundleOf, count, detached, directory, goesOn, status } from './counter.ts';
import { must, runt, sh } from './guest.ts';
import { suite } from './tap.ts';

const pages = (path: string): readonly string[] => readdirSync(path).filter((name) => /^pages-.*\.img$/.test(name));
const size = (path: string): number => pages(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
/** Starts one that counts; gives its bundle and where it was. */
function counting(name: string): readonly [bundle: string, from: number] {
  const bundle = bundleOf(name);
  detached(`run --detach --bundle ${bundle} ${name}`);
  must(`until [ "$(${runt} exec ${name} cat /tmp/n)" -gt 1 ]; do sleep 0.2; done`);
  return [bundle, count(name)];
}

const test = suite('checkpoint: memory');
test.before(() => void mkdirSync(directory, { recursive: true }));
test('--pre-dump leaves it running; the checkpoint with --parent-path has only what changed', () => {
  const [bundle, from] = counting('ahead');
  must(`${runt} checkpoint --pre-dump --image-path ${bundle}/first ahead`);
  assert.is(status('ahead'), 'running');
  goesOn('ahead', from);
  must(`${runt} checkpoint --image-path ${bundle}/images --parent-path ../first ahead`);
  assert.is(readlinkSync(`${bundle}/images/parent`), '../first');
  assert.ok(size(`${bundle}/images`) < size(`${bundle}/first`), `${size(`${bundle}/images`)} of ${size(`${bundle}/first`)}`);
  detached(`restore --detach --image-path ${bundle}/images --bundle ${bundle} ahead`);
  goesOn('ahead', from);
  must(`${runt} delete --force ahead`);
});
test('--page-server: no server is an error that says so, and the container goes on; with one the memory is there', () => {
  const [bundle, from] = counting('server');
  const refused = sh(`${runt} checkpoint --page-server 127.0.0.1:7001 --image-path ${bundle}/refused server`);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /^runt: checkpoint server: criu failed: type DUMP: .*(connect|Connection refused)/i);
  goesOn('server', from);
  must(`mkdir ${bundle}/there && criu page-server --images-dir ${bundle}/there --address 127.0.0.1 --port 7001 --daemon && ${runt} checkpoint --page-server 127.0.0.1:7001 --image-path ${bundle}/images server`);
  assert.equal(pages(`${bundle}/images`), []);
  assert.ok(size(`${bundle}/there`) > 0);
  must(`cp ${bundle}/there/*.img ${bundle}/images`);
  detached(`restore --detach --image-path ${bundle}/images --bundle ${bundle} server`);
  goesOn('server', from);
  must(`${runt} delete --force server`);
});
test('--lazy-pages: the memory of one that is gone comes to the other when it is touched', () => {
  const [bundle, from] = counting('here');
  const other = bundleOf('there');
  must(`mkdir ${bundle}/images ${other}/work; ${runt} checkpoint --lazy-pages --page-server 127.0.0.1:7002 --status-fd 9 --image-path ${bundle}/images here 9>${bundle}/status >${bundle}/said 2>&1 </dev/null &
    i=0; until [ -s ${bundle}/status ]; do i=$((i+1)); [ $i -lt 300 ] || { cat ${bundle}/said; exit 1; }; sleep 0.2; done
    cd ${other}/work; setsid criu lazy-pages --page-server --address 127.0.0.1 --port 7002 --images-dir ${bundle}/images --work-dir ${other}/work >${other}/said 2>&1 </dev/null &
    i=0; until [ -S ${other}/work/lazy-pages.socket ]; do i=$((i+1)); [ $i -lt 300 ] || { cat ${other}/said; exit 1; }; sleep 0.2; done`);
  detached(`restore --detach --lazy-pages --image-path ${bundle}/images --work-path ${other}/work --bundle ${other} there`);
  goesOn('there', from);
  must(`i=0; while ${runt} state here >/dev/null 2>&1; do i=$((i+1)); [ $i -lt 300 ] || { cat ${bundle}/said; exit 1; }; sleep 0.2; done`);
  must(`${runt} delete --force there`);
});
test.run();
