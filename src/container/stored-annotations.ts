// The annotations of a container, for `state` and `list`: they lie in config.json alone, which may have megabytes of them.
import { readFileSync } from 'node:fs';
import type { Config } from '../../spec/config.ts';
import { RuntimeError } from '../errors.ts';
import { doesNotExist } from './state.ts';

/** Throws RuntimeError: the container has been deleted meanwhile, or its config.json is not what create wrote. */
export function storedAnnotations(root: string, id: string): Config['annotations'] {
  const path = `${root}/${id}/config.json`;
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as Config).annotations;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw doesNotExist(root);
    throw new RuntimeError(`stored ${path} is damaged`, { hint: `delete --force ${id} clears it` });
  }
}
