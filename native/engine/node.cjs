// dist/node/runt.cjs: the Node build's start. All code is one file, compiled before: V8 takes its code cache and compiles nothing.
// A cache that another Node made is refused by V8, and the source is compiled as ever. With --make-cache FILE it is made (native/build/build.sh).
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');

const filename = `${__dirname}/main.js`;
let cachedData;
try {
  cachedData = readFileSync(`${__dirname}/main.cache`);
} catch {
  // slower
}
const script = new Script(`(function (require, __dirname, module, exports) {${readFileSync(filename, 'latin1')}\n})`, { filename, cachedData });
const module_ = { exports: {} };
script.runInThisContext()(require, __dirname, module_, module_.exports);
if (process.argv[2] === '--make-cache') {
  // What has run is in the cache: functions are compiled when they are first called.
  const commands = [['--help'], ['features'], ['explain', process.argv[4]], ['explain', '--format', 'json', process.argv[4]], ['state', 'none'], ['kill', 'none'], ['delete', 'none'], ['start', 'none'], ['exec', 'none', 'true'], ['create', '--bundle', '/nonexistent', 'none'], ['run', '--bundle', '/nonexistent', 'none']];
  (async () => {
    for (const words of commands) await module_.exports.main(words);
    writeFileSync(process.argv[3], script.createCachedData());
  })();
} else module_.exports.start();
