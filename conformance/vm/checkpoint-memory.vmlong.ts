// The ways by which the memory of a checkpoint travels: ahead of it (--pre-dump), to a server (--page-server), and when it is touched
// (--lazy-pages). Whether they go depends on kernel and CRIU: where runc cannot either, runt has to say in CRIU's words why.
// By name (npm run test:vm conformance/vm/checkpoint-memory.vmlong.ts): a CRIU that fails in the middle of --lazy-pages takes a minute to say so.
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { bundleOf, directory } from './counter.ts';
import { runt, sh } from './guest.ts';
import { note, suite } from './tap.ts';

/** Bytes of memory in a directory of images. */
const size = (path: string): number => readdirSync(path).filter((name) => /^pages-.*\.img$/.test(name)).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);

const prologue = `
set -e
R() { timeout -k 5 60 $RUNTIME "$@" </dev/null; }
quietly() { "$@" >$B/said 2>&1 || { cat $B/said >&2; return 1; }; }
soon() { i=0; until "$@" 2>/dev/null; do i=$((i+1)); [ $i -lt 200 ] || { echo "never: $*" >&2; return 1; }; sleep 0.2; done; }
beyond() { [ "$(R exec $1 cat /tmp/n)" -gt "$2" ]; }
`;

/** The script with runc and with runt, for a container $N of bundle $B that counts and has got beyond 1; it prints what it saw. */
function both(name: string, script: string): void {
  const outcome = (runtime: string, id: string): ReturnType<typeof sh> => {
    const bundle = bundleOf(id), other = bundleOf(`${id}-other`);
    const done = sh(`RUNTIME=${runtime} N=${id} B=${bundle} O=${other}; ${prologue} quietly R run --detach --bundle $B $N; soon beyond $N 1; ${script}`, 200);
    sh(`for id in ${id} ${id}-other; do timeout 20 ${runtime} delete --force $id; done`);
    return done;
  };
  const theirs = outcome('/usr/sbin/runc', `${name}-runc`), ours = outcome(runt, `${name}-runt`);
  if (ours.code === 0) return note(`works; runc: exit status ${theirs.code}`);
  assert.not.equal(theirs.code, 0, `runc can: ${ours.stderr}`);
  assert.match(ours.stderr, /criu failed: type \w+: \S/);
  note(`neither can: ${ours.stderr.trim().split('\n')[0]!}`);
}

const test = suite('checkpoint: memory');
test.before(() => void mkdirSync(directory, { recursive: true }));
test('--pre-dump leaves it running; the checkpoint with --parent-path has only what changed', () => {
  both('ahead', `R checkpoint --pre-dump --image-path $B/first $N; soon beyond $N $(R exec $N cat /tmp/n); R checkpoint --image-path $B/images --parent-path ../first $N
    [ "$(readlink $B/images/parent)" = ../first ]; quietly R restore --detach --image-path $B/images --bundle $B $N; soon beyond $N 2`);
  const bundle = join(directory, 'ahead-runt');
  if (readdirSync(bundle).includes('images')) assert.ok(size(`${bundle}/images`) < size(`${bundle}/first`));
});
test('--page-server: without one the error names it; with one the memory is there', () => {
  both('server', `R checkpoint --page-server 127.0.0.1:7001 --image-path $B/refused $N 2>$B/error && exit 1; [ "$RUNTIME" = /usr/sbin/runc ] || grep "Can't connect to server 127.0.0.1:7001" $B/error; R state $N | grep -q running
    mkdir -p $B/there; criu page-server --images-dir $B/there --address 127.0.0.1 --port 7001 --daemon; R checkpoint --page-server 127.0.0.1:7001 --image-path $B/images $N
    ls $B/images/pages-*.img 2>/dev/null && exit 1; cp $B/there/*.img $B/images; quietly R restore --detach --image-path $B/images --bundle $B $N; soon beyond $N 2`);
});
test('--lazy-pages: the memory of one that is gone comes to the other when it is touched', () => {
  both('lazy', `mkdir -p $B/images $O/work; R checkpoint --lazy-pages --page-server 127.0.0.1:7002 --status-fd 9 --image-path $B/images --work-path $B/images $N 9>$B/status >$B/lazy 2>&1 & first=$!
    soon test -s $B/status; cd $O/work; timeout -k 5 60 criu lazy-pages --page-server --address 127.0.0.1 --port 7002 --images-dir $B/images --work-dir $O/work >$O/lazy 2>&1 </dev/null &
    soon test -S $O/work/lazy-pages.socket; quietly R restore --detach --lazy-pages --image-path $B/images --work-path $O/work --bundle $O $N-other || { cat $B/lazy >&2; exit 1; }; soon beyond $N-other 2; wait $first || { cat $B/lazy >&2; exit 1; }`);
});
test.run();
