// The one door to koffi: loads its addon by path and offers syscall(2) and errno to the rest of native/linux.

/** A value syscall(2) takes: an integer, an address, or memory whose address is passed (held for the call only). */
export type Word = number | bigint | null | Uint8Array;

/** A function of a shared library; integers beyond 2^53 come back as bigint. */
export interface ForeignFunction {
  (...args: Word[]): number | bigint;
  /** The same call on a worker thread: signals stay handled meanwhile. The last argument is the callback. */
  async(...args: [...Word[], (error: Error | null, result: number | bigint) => void]): void;
}

export interface Library {
  func(name: string, result: string, parameters: readonly string[]): ForeignFunction;
}

interface Koffi {
  load(path: string): Library;
  errno(): number;
  view(address: bigint | number, length: number): ArrayBuffer;
  address(memory: Uint8Array): bigint;
}

declare const RUNT_EXECUTABLE: boolean | undefined;

/** True inside the Bun single-file executable, where `import.meta` names a virtual file. */
export const isExecutable: boolean = typeof RUNT_EXECUTABLE !== 'undefined' && RUNT_EXECUTABLE;

/**
 * The directory that holds what is installed beside the code: the interpreter and koffi's addon.
 * The launcher's directory, the one above the engine's (native/engine/launcher.c), or dist/ of the Node build. Never a directory of the caller's.
 */
export let installDirectory: string = isExecutable ? parentOf(parentOf(process.execPath)) : nodeInstallDirectory();

/** For an engine that goes on elsewhere than where its snapshot was taken (native/snapshot): the directory of its launcher, ending in a slash. */
export function moveTo(launcher: string): void {
  installDirectory = isExecutable ? parentOf(launcher) : parentOf(parentOf(launcher));
}

/** What has to lie there. */
export const installedFiles: readonly string[] = isExecutable ? ['librtstdc++.so', 'koffi-c.so', 'runt-init', 'runt-copies.so', 'engine/runt'] : ['koffi.node', 'runt-init', 'runt-copies.so'];

function nodeInstallDirectory(): string {
  const here = import.meta.dirname;
  // dist/node/*.js is the build; native/linux/*.ts is the source tree run by tsx or bun.
  return here.endsWith('/dist/node') ? parentOf(here) : `${parentOf(parentOf(here))}/dist`;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

let loaded: Koffi | undefined;

/** True once koffi() was called: a system call costs no more than itself. */
export const isLoaded = (): boolean => loaded !== undefined;

/**
 * koffi itself. Its package index costs 9 ms to load, the addon alone 1.5. The executable's is 0.9: the first library stands in for
 * libstdc++ and loads the addon (native/engine/libstdc++.c).
 */
export function koffi(): Koffi {
  if (loaded !== undefined) return loaded;
  const addon: { exports: unknown } = { exports: {} };
  process.dlopen(addon, `${installDirectory}/${installedFiles[0]}`);
  return (loaded = addon.exports as Koffi);
}

let libc: Library | undefined;
let rawSyscall: ForeignFunction | undefined;

/** A function of the C library, declared when it is first needed: parsing a prototype is start-up time. */
export function libcFunction(name: string, result: string, parameters: readonly string[]): ForeignFunction {
  libc ??= koffi().load('libc.so.6');
  return libc.func(name, result, parameters);
}

/** syscall(2) of the C library. The result is -1 on failure: read errno() before anything else. */
export function syscall(): ForeignFunction {
  return (rawSyscall ??= libcFunction('syscall', 'long', ['long', 'void *', 'void *', 'void *', 'void *', 'void *', 'void *']));
}

/** errno of the last foreign call. */
export function errno(): number {
  return koffi().errno();
}

/** Memory at an address as bytes: writes are seen by everyone who maps it. The mapping must outlive the view. */
export function viewMemory(address: bigint, length: number): Buffer {
  return Object.setPrototypeOf(new Uint8Array(koffi().view(address, length)), Buffer.prototype) as Buffer; // what Buffer.from(ArrayBuffer) gives, without loading that
}

/** Where a buffer lies, for a pointer inside a structure. The buffer must be held until the call is over. */
export function addressOf(memory: Uint8Array): bigint {
  return koffi().address(memory);
}

/** A shared library by its soname. Throws when the loader does not find it. */
export function loadLibrary(soname: string): Library {
  return koffi().load(soname);
}
