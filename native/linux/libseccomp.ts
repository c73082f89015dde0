// libseccomp.so.2 through koffi (seccomp_init(3), seccomp_rule_add(3), seccomp_export_bpf(3)). Declarations only.
import { loadLibrary, type ForeignFunction } from './koffi.ts';

export interface Libseccomp {
  readonly init: ForeignFunction;
  readonly release: ForeignFunction;
  readonly archAdd: ForeignFunction;
  readonly archResolveName: ForeignFunction;
  readonly ruleAddArray: ForeignFunction;
  readonly resolveName: ForeignFunction;
  readonly resolveNameArch: ForeignFunction;
  readonly exportBpf: ForeignFunction;
}

let loaded: Libseccomp | undefined;

/** The library, loaded when it is first needed. Throws when it is not installed. */
export function libseccomp(): Libseccomp {
  if (loaded !== undefined) return loaded;
  const library = loadLibrary('libseccomp.so.2');
  loaded = {
    init: library.func('seccomp_init', 'void *', ['uint32_t']),
    release: library.func('seccomp_release', 'void', ['void *']),
    archAdd: library.func('seccomp_arch_add', 'int', ['void *', 'uint32_t']),
    archResolveName: library.func('seccomp_arch_resolve_name', 'uint32_t', ['void *']),
    ruleAddArray: library.func('seccomp_rule_add_array', 'int', ['void *', 'uint32_t', 'int', 'uint', 'void *']),
    resolveName: library.func('seccomp_syscall_resolve_name', 'int', ['void *']),
    resolveNameArch: library.func('seccomp_syscall_resolve_name_arch', 'int', ['uint32_t', 'void *']),
    exportBpf: library.func('seccomp_export_bpf', 'int', ['void *', 'int']),
  };
  return loaded;
}
