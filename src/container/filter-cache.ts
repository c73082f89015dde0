export const cachedFilter = (_s: unknown, _d: string): { filter: Uint8Array; flags: number; newListener: boolean } => { throw new Error('no'); };
