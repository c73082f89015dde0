export const foreground = async (_s: unknown, _t: number) => ({ restore() {}, async finish() {} });
