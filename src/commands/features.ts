// `runt features` (features.md). Nothing on standard error: CRI-O reads both streams as one.
import { nameTables } from '../../native/linux/constants.ts';
import { hasLibseccomp } from '../../native/linux/libseccomp-file.ts';
import { mountOptionWords } from '../compile/mount-options.ts';
import { namespaceFlags } from '../compile/namespaces.ts';
import type { Command } from './command.ts';
import { VERSION } from './version.ts';

const actions = ['SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO', 'SCMP_ACT_KILL', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_LOG', 'SCMP_ACT_NOTIFY', 'SCMP_ACT_TRACE', 'SCMP_ACT_TRAP'];
const operators = ['SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_LE', 'SCMP_CMP_LT', 'SCMP_CMP_MASKED_EQ', 'SCMP_CMP_NE'];
const architectures = ['AARCH64', 'ARM', 'MIPS', 'MIPS64', 'MIPS64N32', 'MIPSEL', 'MIPSEL64', 'MIPSEL64N32', 'PARISC', 'PARISC64', 'PPC', 'PPC64', 'PPC64LE', 'RISCV64', 'S390', 'S390X', 'X32', 'X86', 'X86_64'].map((name) => `SCMP_ARCH_${name}`);
const flags = ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'];

export function featuresObject(): Record<string, unknown> {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: '1.3.0',
    hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
    mountOptions: mountOptionWords(),
    potentiallyUnsafeConfigAnnotations: ['org.criu.config', 'org.systemd.property.'],
    linux: {
      namespaces: Object.keys(namespaceFlags).sort(),
      capabilities: Object.keys(nameTables.capability.names),
      cgroup: { v1: false, v2: true, systemd: true, systemdUser: true, rdma: true },
      seccomp: { enabled: hasLibseccomp(), actions, operators, archs: architectures, knownFlags: flags, supportedFlags: flags },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      memoryPolicy: { modes: ['MPOL_BIND', 'MPOL_DEFAULT', 'MPOL_INTERLEAVE', 'MPOL_LOCAL', 'MPOL_PREFERRED', 'MPOL_PREFERRED_MANY', 'MPOL_WEIGHTED_INTERLEAVE'], flags: ['MPOL_F_NUMA_BALANCING', 'MPOL_F_RELATIVE_NODES', 'MPOL_F_STATIC_NODES'] },
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: { 'io.runt.version': VERSION, 'org.opencontainers.runc.checkpoint.enabled': 'true' },
  };
}

export const command: Command = {
  name: 'features', summary: 'print what this runtime knows as JSON (features.md)', words: '', least: 0, most: 0, flags: [],
  examples: ['runt features'],
  run: (call) => {
    call.stdout(`${JSON.stringify(featuresObject(), null, 2)}\n`);
    return 0;
  },
};
