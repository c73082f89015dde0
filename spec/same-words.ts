// Options of mounts: a long list of mounts has the same ones again and again.

/** Whether two lists have the same words: quicker than to look one up by its words. */
export function areSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
