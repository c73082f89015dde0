export const checkSemantics = (_c: unknown): import('./validate.ts').Issue[] => [];
