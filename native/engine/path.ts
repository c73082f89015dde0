// What the executable has in place of node:path (0.4 ms of every call): the POSIX functions that runt uses, with their meanings.

/** `.` and `..` resolved as text; a relative path keeps leading `..`. */
export function normalize(path: string): string {
  const isAbsolute = path.startsWith('/');
  const parts: string[] = [];
  for (const word of path.split('/')) {
    if (word === '' || word === '.') continue;
    if (word !== '..') parts.push(word);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!isAbsolute) parts.push('..');
  }
  const clean = parts.join('/');
  const end = path.endsWith('/') ? '/' : '';
  if (isAbsolute) return clean === '' ? '/' : `/${clean}${end}`;
  return `${clean || '.'}${path === '' ? '' : end}`;
}

export function join(...paths: string[]): string {
  return normalize(paths.filter((path) => path !== '').join('/') || '.');
}

export function resolve(...paths: string[]): string {
  let path = '';
  for (const next of paths) path = next.startsWith('/') ? next : path === '' ? next : `${path}/${next}`;
  if (!path.startsWith('/')) path = `${process.cwd()}/${path}`;
  const clean = normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

/** Without slashes at its end. A loop: a regular expression is compiled at its first use. */
function withoutEnd(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}

export function dirname(path: string): string {
  const trimmed = withoutEnd(path);
  const cut = trimmed.lastIndexOf('/');
  return cut < 0 && path.startsWith('/') ? '/' : cut < 0 ? '.' : withoutEnd(trimmed.slice(0, cut)) || '/';
}

export function basename(path: string): string {
  const trimmed = withoutEnd(path);
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

export function relative(from: string, to: string): string {
  const [start, end] = [resolve(from), resolve(to)].map((path) => path.split('/').filter((word) => word !== ''));
  let common = 0;
  while (common < start!.length && start![common] === end![common]) common++;
  return [...start!.slice(common).map(() => '..'), ...end!.slice(common)].join('/');
}

export const isAbsolute = (path: string): boolean => path.startsWith('/');

export const posix = { normalize, join, resolve, dirname, basename, relative, isAbsolute };
