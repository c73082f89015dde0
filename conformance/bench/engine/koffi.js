// The engine, koffi's addon (the last argument) and one system call: what every runtime written on them takes at least.
const addon = { exports: {} };
process.dlopen(addon, process.argv.at(-1));
const exit_group = addon.exports.load('libc.so.6').func('syscall', 'long', ['long', 'long']);
exit_group(process.arch === 'arm64' ? 94 : 231, 0);
