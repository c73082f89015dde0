// From an image in a file to a process, without a daemon and without a network: images/run-image.sh with skopeo and umoci.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeRootfs, runtimePaths, type Json } from './harness.ts';

const missing = ['skopeo', 'umoci', 'jq'].filter((tool) => spawnSync(tool, ['--version']).error !== undefined);

/** An image as `docker save` writes it: one layer, a configuration, a manifest. */
function dockerArchive(directory: string, config: Json): string {
  const tar = (...words: string[]): void => assert.is(spawnSync('tar', ['--numeric-owner', '--owner=0', '--group=0', ...words]).status, 0);
  const digest = (file: string): string => createHash('sha256').update(readFileSync(join(directory, file))).digest('hex');
  makeRootfs(join(directory, 'rootfs'));
  tar('-C', join(directory, 'rootfs'), '-cf', join(directory, 'layer.tar'), '.');
  writeFileSync(join(directory, 'config'), JSON.stringify({ architecture: 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: [`sha256:${digest('layer.tar')}`] } }));
  const name = `${digest('config')}.json`;
  writeFileSync(join(directory, name), readFileSync(join(directory, 'config')));
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify([{ Config: name, RepoTags: ['localhost/test:latest'], Layers: ['layer.tar'] }]));
  tar('-C', directory, '-cf', join(directory, 'image.tar'), 'manifest.json', name, 'layer.tar');
  return join(directory, 'image.tar');
}

for (const path of runtimePaths()) {
  const test = suite(`images ${basename(path)}`);
  if (missing.length > 0) {
    console.log(`skipped: images: apt-get install ${missing.join(' ')}`);
    test.skip('an image in a file runs');
    test.run();
    continue;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'images-'));
  let image = '';
  const run = (words: readonly string[], env: NodeJS.ProcessEnv = {}): { readonly code: number | null; readonly stdout: string; readonly stderr: string } => {
    const done = spawnSync(join(import.meta.dirname, 'images/run-image.sh'), words, { encoding: 'utf8', input: '', timeout: 120_000, env: { PATH: process.env['PATH'], RUNTIME: path, NAME: `image${process.pid}`, TMPDIR: scratch, ...env } });
    return { code: done.status, stdout: done.stdout, stderr: done.stderr };
  };
  test.before(() => {
    mkdirSync(join(scratch, 'made'));
    image = dockerArchive(join(scratch, 'made'), { Env: ['PATH=/bin', 'GREETING=hello'], Entrypoint: ['/bin/sh', '-c'], Cmd: ['echo $GREETING from $(pwd) as $(id -u); exit 6'], User: '1000:1000', WorkingDir: '/tmp' });
  });
  test.after(() => rmSync(scratch, { recursive: true }));

  test('an image in a file runs as it says: entry point, environment, user, directory, exit status', () => {
    const done = run([image]);
    assert.is(done.stdout.trim(), 'hello from /tmp as 1000', done.stderr);
    assert.is(done.code, 6, done.stderr);
  });
  test('words of the command line take the place of its command, whatever is in them', () => {
    const done = run([image, '/bin/sh', '-c', 'printf "<%s>" "$@"', 'sh', 'a b', '', '$HOME', "it's"]);
    assert.is(done.stdout, "<a b><><$HOME><it's>", done.stderr);
  });
  test('a directory and an archive in the OCI form run as well; the bundle is kept where it is asked for', () => {
    assert.is(spawnSync('skopeo', ['--insecure-policy', 'copy', '-q', `docker-archive:${image}`, `oci-archive:${scratch}/oci.tar:latest`]).status, 0);
    assert.is(spawnSync('skopeo', ['--insecure-policy', 'copy', '-q', `docker-archive:${image}`, `oci:${scratch}/layout:latest`]).status, 0);
    assert.is(run([join(scratch, 'oci.tar')]).code, 6);
    assert.is(run([join(scratch, 'layout')], { KEEP: join(scratch, 'kept') }).code, 6);
    assert.ok(existsSync(join(scratch, 'kept/bundle/config.json')));
    assert.match(run([join(scratch, 'layout')], { KEEP: join(scratch, 'kept') }).stderr, /exists already/);
  });
  test('what is no image is an error, and nothing is left', () => {
    writeFileSync(join(scratch, 'text'), 'no image');
    assert.is.not(run([join(scratch, 'text')]).code, 0);
    assert.is(run([]).code, 2);
    assert.equal(spawnSync('ls', [scratch], { encoding: 'utf8' }).stdout.trim().split('\n').filter((name) => name.startsWith('tmp.')), []);
  });
  test.run();
}
