// config.json of runtime-spec 1.3 for Linux (config.md, config-linux.md), as types. 64-bit integers may be bigint.

export type Integer = number | bigint;
type Names = readonly string[];
type Values<T> = Readonly<Record<string, T>>;

export interface Config {
  readonly ociVersion: string;
  readonly root?: { readonly path: string; readonly readonly?: boolean };
  readonly mounts?: readonly Mount[];
  readonly process?: Process;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly hooks?: Partial<Readonly<Record<'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop', readonly Hook[]>>>;
  readonly annotations?: Values<string>;
  readonly linux?: Linux;
}

export interface Mount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: Names;
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
}

export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface Process {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user?: { readonly uid?: number; readonly gid?: number; readonly umask?: number; readonly additionalGids?: readonly number[] };
  readonly args?: Names;
  readonly env?: Names;
  readonly cwd: string;
  readonly capabilities?: Partial<Readonly<Record<'bounding' | 'effective' | 'inheritable' | 'permitted' | 'ambient', Names>>>;
  readonly rlimits?: readonly { readonly type: string; readonly soft: Integer; readonly hard: Integer }[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly oomScoreAdj?: number;
  readonly scheduler?: {
    readonly policy: string; readonly nice?: number; readonly priority?: number; readonly flags?: Names;
    readonly runtime?: Integer; readonly deadline?: Integer; readonly period?: Integer;
  };
  readonly ioPriority?: { readonly class: string; readonly priority?: number };
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string };
}

export interface Hook {
  readonly path: string;
  readonly args?: Names;
  readonly env?: Names;
  readonly timeout?: number;
}

export interface Device {
  readonly path: string;
  readonly type: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface Linux {
  readonly namespaces?: readonly { readonly type: string; readonly path?: string }[];
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
  readonly timeOffsets?: Values<{ readonly secs?: Integer; readonly nanosecs?: number }>;
  readonly devices?: readonly Device[];
  readonly netDevices?: Values<{ readonly name?: string }>;
  readonly cgroupsPath?: string;
  readonly resources?: Resources;
  readonly rootfsPropagation?: string;
  readonly seccomp?: Seccomp;
  readonly sysctl?: Values<string>;
  readonly maskedPaths?: Names;
  readonly readonlyPaths?: Names;
  readonly mountLabel?: string;
  readonly intelRdt?: { readonly closID?: string; readonly l3CacheSchema?: string; readonly memBwSchema?: string; readonly schemata?: Names; readonly enableMonitoring?: boolean };
  readonly memoryPolicy?: { readonly mode: string; readonly nodes?: string; readonly flags?: Names };
  readonly personality?: { readonly domain: string; readonly flags?: Names };
}

export interface DeviceRule {
  readonly allow: boolean;
  readonly type?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly access?: string;
}

export interface Throttle {
  readonly major: number;
  readonly minor: number;
  readonly rate: Integer;
}

export interface WeightDevice {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

export interface Resources {
  readonly devices?: readonly DeviceRule[];
  readonly memory?: {
    readonly limit?: Integer; readonly reservation?: Integer; readonly swap?: Integer; readonly kernel?: Integer; readonly kernelTCP?: Integer;
    readonly swappiness?: Integer; readonly disableOOMKiller?: boolean; readonly useHierarchy?: boolean; readonly checkBeforeUpdate?: boolean;
  };
  readonly cpu?: {
    readonly shares?: Integer; readonly quota?: Integer; readonly period?: Integer; readonly burst?: Integer; readonly realtimeRuntime?: Integer;
    readonly realtimePeriod?: Integer; readonly cpus?: string; readonly mems?: string; readonly idle?: number;
  };
  readonly pids?: { readonly limit?: Integer | null };
  readonly blockIO?: {
    readonly weight?: number; readonly leafWeight?: number; readonly weightDevice?: readonly WeightDevice[];
    readonly throttleReadBpsDevice?: readonly Throttle[]; readonly throttleWriteBpsDevice?: readonly Throttle[];
    readonly throttleReadIOPSDevice?: readonly Throttle[]; readonly throttleWriteIOPSDevice?: readonly Throttle[];
  };
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: Integer }[];
  readonly network?: { readonly classID?: number; readonly priorities?: readonly unknown[] };
  readonly rdma?: Values<{ readonly hcaHandles?: number; readonly hcaObjects?: number }>;
  readonly unified?: Values<string>;
}

export interface Seccomp {
  readonly defaultAction?: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: Names;
  readonly flags?: Names;
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly SeccompRule[];
}

export interface SeccompRule {
  readonly names: Names;
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly { readonly index: number; readonly value: Integer; readonly valueTwo?: Integer; readonly op: string }[];
}
