// config.json as it was at create, from the state directory: what became of the bundle since does not count.
import { readFileSync } from 'node:fs';
import type { Config } from '../../spec/config.ts';
import { decodeConfig, locate, parseJson } from '../../spec/json.ts';

export function storedConfig(directory: string): Config {
  return parseJson(decodeConfig(readFileSync(`${directory}/config.json`))) as Config;
}

/** `config.json:57:21` for a JSON pointer into it. */
export function storedPosition(directory: string): (pointer: string) => string {
  return (pointer) => {
    const { line, column } = locate(decodeConfig(readFileSync(`${directory}/config.json`)), pointer);
    return `config.json:${line}:${column}`;
  };
}
