export interface Issue { pointer: string; found: string; expected: string; hint?: string; severity: 'error' | 'warning' }
export const validateConfig = (_c: unknown): Issue[] => [];
