// dist/node/runt.cjs: the Node build's start. All code is one file, compiled before: V8 takes its code cache and compiles nothing.
// Two caches, because all of one is unpacked at every start: what makes a program (run, create, exec) has twice the code of the
// rest. A cache that another Node made is refused by V8, and the source is compiled as ever.
// native/build/build.sh makes them: --make-cache FILE SAMPLE, where SAMPLE is a bundle with a state root that has a container `gone`.
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');

const makesPrograms = ['run', 'create', 'exec', 'restore', 'explain', 'validate'].some((verb) => process.argv.includes(verb));
const filename = `${__dirname}/main.js`;
let cachedData;
try {
  cachedData = readFileSync(`${__dirname}/${makesPrograms ? 'programs' : 'main'}.cache`);
} catch {
  // slower
}
const script = new Script(`(function (require, __dirname, module, exports) {${readFileSync(filename, 'latin1')}\n})`, { filename, cachedData });
const module_ = { exports: {} };
const [, , option, file, sample] = process.argv;
if (option === '--make-cache') require('node:v8').setFlagsFromString('--no-flush-bytecode'); // else the collector takes functions away before they are stored
script.runInThisContext()(require, __dirname, module_, module_.exports);
if (option === '--make-cache') {
  // What has run is in the cache: functions are compiled when they are first called.
  const root = ['--root', `${sample}/root`];
  const rest = [['--help'], ['list'], ['state', 'gone'], ['kill', 'gone'], ['start', 'gone'], ['pause', 'gone'], ['delete', 'gone'], ['delete', '--force', 'gone']];
  const programs = [['explain', sample], ['explain', '--format', 'json', sample], ['exec', 'gone', 'true'], ['create', '--bundle', '/nonexistent', 'none'], ['run', '--bundle', '/nonexistent', 'none']];
  (async () => {
    for (const words of file.endsWith('/programs.cache') ? programs : rest) await module_.exports.main([...root, ...words]);
    require('node:v8').setFlagsFromString('--flush-bytecode'); // a cache is good for the flags it was made with
    writeFileSync(file, script.createCachedData());
  })();
} else module_.exports.start();
