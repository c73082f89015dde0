// config.json as it was at create, from the state directory: what became of the bundle since does not count.
import { readFileSync } from 'node:fs';
import type { Config } from '../../spec/config.ts';
import { decodeConfig, parseJson } from '../../spec/json.ts';

export function storedConfig(directory: string): Config {
  return parseJson(decodeConfig(readFileSync(`${directory}/config.json`))) as Config;
}
