// CRIU's requests and answers as bytes: protocol buffers of its rpc.proto (criu.org/RPC), of which only what runt says and reads.

/** Numbers of the fields of criu_opts; their names are CRIU's. */
export const option = {
  images_dir_fd: 1, pid: 2, leave_running: 3, ext_unix_sk: 4, tcp_established: 5, evasive_devices: 6, shell_job: 7, file_locks: 8, log_level: 9, log_file: 10,
  ps: 11, notify_scripts: 12, root: 13, parent_img: 14, track_mem: 15, auto_dedup: 16, work_dir_fd: 17, link_remap: 18, ext_mnt: 23, manage_cgroups: 24, cg_root: 25,
  rst_sibling: 26, inherit_fd: 27, manage_cgroups_mode: 34, external: 37, empty_ns: 38, join_ns: 39, freeze_cgroup: 44, tcp_skip_in_flight: 46, lazy_pages: 48,
  orphan_pts_master: 50, config_file: 51, tcp_close: 52, lsm_profile: 53, lsm_mount_context: 63, network_lock: 64,
} as const;

export type OptionName = keyof typeof option;
/** A message within a message: values by field number. */
export type Fields = Readonly<Record<number, string | number>>;
export type OptionValue = boolean | number | string | readonly string[] | Fields | readonly Fields[] | undefined;
export type Options = Readonly<Partial<Record<OptionName, OptionValue>>>;

/** criu_req_type. */
export const requestType = { dump: 1, restore: 2, preDump: 4, notify: 6 } as const;
export type RequestType = (typeof requestType)[keyof typeof requestType];

/** criu_cg_mode by the words of --manage-cgroups-mode. */
export const cgroupsMode: Readonly<Record<string, number>> = { ignore: 0, soft: 3, full: 4, strict: 5 };

/** criu_network_lock_method by the words of --network-lock. */
export const networkLock: Readonly<Record<string, number>> = { iptables: 1, nftables: 2, skip: 3 };

/** A criu_req: of this type, with these options; an answer to a notification carries success instead. */
export function encodeRequest(type: RequestType, options?: Options): Buffer {
  const parts = [number(1, type)];
  if (options !== undefined) parts.push(bytes(2, encodeOptions(options)));
  if (type === requestType.notify) parts.push(number(3, 1));
  return Buffer.concat(parts);
}

function encodeOptions(options: Options): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(options) as [OptionName, OptionValue][]) {
    for (const one of Array.isArray(value) ? (value as readonly (string | Fields)[]) : [value]) {
      if (one !== undefined) parts.push(field(option[name], one as boolean | number | string | Fields));
    }
  }
  return Buffer.concat(parts);
}

function field(id: number, value: boolean | number | string | Fields): Buffer {
  if (typeof value === 'string') return bytes(id, Buffer.from(value));
  if (typeof value === 'object') return bytes(id, Buffer.concat(Object.entries(value).map(([inner, one]) => field(Number(inner), one))));
  return number(id, Number(value));
}

const number = (id: number, value: number): Buffer => Buffer.concat([varint(id * 8), varint(value)]);
const bytes = (id: number, value: Buffer): Buffer => Buffer.concat([varint(id * 8 + 2), varint(value.length), value]);

function varint(value: number): Buffer {
  const out: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) out.push((value % 128) + 128);
  return Buffer.from([...out, value]);
}

/** A criu_resp. */
export interface Answer {
  readonly type: number;
  readonly success: boolean;
  /** Pid of the restored init, as the runtime sees it. */
  readonly restored: number | undefined;
  readonly notification: { readonly script: string; readonly pid: number } | undefined;
  /** What CRIU has as errno of its failure; 0 when it has none. */
  readonly errno: number;
  readonly message: string;
}

/** Reads an answer. Throws RangeError for bytes that are none. */
export function decodeAnswer(data: Buffer): Answer {
  const answer = decode(data);
  const restored = answer.get(4), notification = answer.get(5);
  const inner = notification === undefined ? undefined : decode(notification as Buffer);
  return {
    type: numberOf(answer.get(1)),
    success: numberOf(answer.get(2)) === 1,
    restored: restored === undefined ? undefined : numberOf(decode(restored as Buffer).get(1)),
    notification: inner === undefined ? undefined : { script: String(inner.get(1) ?? ''), pid: numberOf(inner.get(2)) },
    errno: Math.abs(numberOf(answer.get(7))),
    message: String(answer.get(9) ?? ''),
  };
}

const numberOf = (value: Buffer | bigint | undefined): number => (typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0);

function decode(data: Buffer): ReadonlyMap<number, Buffer | bigint> {
  const fields = new Map<number, Buffer | bigint>();
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < data.length) {
    const tag = Number(next());
    if (tag % 8 === 0) fields.set(Math.floor(tag / 8), next());
    else if (tag % 8 === 2) {
      const length = Number(next());
      if (at + length > data.length) throw new RangeError('an answer of CRIU is cut off');
      fields.set(Math.floor(tag / 8), data.subarray(at, (at += length)));
    } else throw new RangeError(`an answer of CRIU has a field of wire type ${tag % 8}`);
  }
  return fields;
}
