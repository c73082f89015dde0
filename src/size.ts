// Sizes as people write them.

/** `64m`, `1.5g`, `1048576`, `-1`: bytes, in powers of 1024 as Docker and runc read them; undefined for what is no size. */
export function bytesOf(text: string): number | undefined {
  if (text === '-1') return -1;
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?b)?$/i.exec(text);
  return match === null ? undefined : Math.floor(Number(match[1]) * 1024 ** ['', 'k', 'm', 'g', 't', 'p'].indexOf(match[2]!.toLowerCase()));
}
