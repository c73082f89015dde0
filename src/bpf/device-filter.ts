export const compileDeviceFilter = (_r: unknown): Uint8Array | undefined => undefined;
