// The configuration most cases begin with, and words they share.
import { baseConfig, type Json } from '../harness.ts';

export type Config = ReturnType<typeof baseConfig>;
export type { Json };
export type Change = (config: Config) => unknown;

/** A configuration that runs the probe with words: all namespaces but user and time, a writable rootfs of its own. */
export function probeConfig(token: string, words: readonly string[]): Config {
  const config = baseConfig('/probe', ...words);
  config.process['env'] = ['PATH=/bin:/usr/bin', 'TERM=xterm', `CONFORMANCE=${token}`];
  // Device rules are loaded by cases that are about them: where root lacks CAP_SYS_RESOURCE older runtimes cannot load any.
  delete config.linux['resources'];
  return config;
}

/** A new user namespace in which 0 to 65535 are 100000 and up on the host. */
export function mapped(config: Config): void {
  (config.linux['namespaces'] as Json[]).push({ type: 'user' });
  config.linux['uidMappings'] = [{ containerID: 0, hostID: 100000, size: 65536 }];
  config.linux['gidMappings'] = [{ containerID: 0, hostID: 100000, size: 65536 }];
}

export function withoutNamespace(config: Config, ...types: readonly string[]): void {
  config.linux['namespaces'] = (config.linux['namespaces'] as Json[]).filter(({ type }) => !types.includes(String(type)));
}

export const tmpfs = (destination: string, ...options: string[]): Json => ({ destination, type: 'tmpfs', source: 'tmpfs', options });
export const bind = (source: string, destination: string, ...options: string[]): Json => ({ destination, type: 'bind', source, options: [options.includes('rbind') ? 'rbind' : 'bind', ...options.filter((one) => one !== 'rbind')] });

/** Numbers of capabilities(7), in order. */
export const capabilityNames: readonly string[] = ('CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER '
  + 'SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM '
  + 'BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE').split(' ').map((name) => `CAP_${name}`);

/** A set as the probe prints it: 16 hexadecimal digits. */
export function capabilitySet(...names: readonly string[]): string {
  return names.reduce((set, name) => set | (1n << BigInt(capabilityNames.indexOf(name))), 0n).toString(16).padStart(16, '0');
}
