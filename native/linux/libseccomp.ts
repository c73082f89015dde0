// libseccomp.so.2 through koffi, under its own names (seccomp_init(3) and its neighbours). Declarations only.
import { loadLibrary, viewMemory, type ForeignFunction, type Library } from './koffi.ts';

/** Prototypes: the result, then the parameters. A name or a struct scmp_arg_cmp[] is memory, so `void *`. */
const prototypes = {
  seccomp_init: ['void *', 'uint32_t'], // scmp_filter_ctx, def_action
  seccomp_release: ['void', 'void *'],
  seccomp_arch_native: ['uint32_t'],
  seccomp_arch_resolve_name: ['uint32_t', 'void *'], // arch_name
  seccomp_arch_add: ['int', 'void *', 'uint32_t'], // ctx, arch_token
  seccomp_attr_set: ['int', 'void *', 'int', 'uint32_t'], // ctx, enum scmp_filter_attr, value
  seccomp_syscall_resolve_name: ['int', 'void *'], // name
  seccomp_syscall_resolve_name_arch: ['int', 'uint32_t', 'void *'], // arch_token, name
  seccomp_syscall_resolve_num_arch: ['void *', 'uint32_t', 'int'], // char * (malloc), arch_token, num
  seccomp_rule_add_array: ['int', 'void *', 'uint32_t', 'int', 'uint', 'void *'], // ctx, action, syscall, arg_cnt, arg_array
  seccomp_export_bpf: ['int', 'void *', 'int'], // ctx, fd
  seccomp_version: ['void *'], // const struct scmp_version *
  seccomp_api_get: ['uint'],
} as const satisfies Record<string, readonly [result: string, ...parameters: string[]]>;

export type LibseccompName = keyof typeof prototypes;

const declared = new Map<LibseccompName, ForeignFunction>();
let library: Library | undefined;

/** A function of the library, which is loaded for the first one asked for. Throws when it is not installed. */
export function libseccomp(name: LibseccompName): ForeignFunction {
  const known = declared.get(name);
  if (known !== undefined) return known;
  library ??= loadLibrary('libseccomp.so.2');
  const [result, ...parameters] = prototypes[name];
  const declaration = library.func(name, result, parameters);
  declared.set(name, declaration);
  return declaration;
}

/** The version of the loaded library, as `2.5.4` (seccomp_version(3)). */
export function libseccompVersion(): string {
  const version = viewMemory(BigInt(libseccomp('seccomp_version')()), 12);
  return `${version.readUInt32LE(0)}.${version.readUInt32LE(4)}.${version.readUInt32LE(8)}`;
}
