// Writes program.h and names.h beside this file: `npm run generate`. With --check it only says whether they are fresh.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateHeader, generateNames } from '../../src/program/header.ts';

const files = { 'program.h': generateHeader(), 'names.h': generateNames() };
for (const [name, text] of Object.entries(files)) {
  const path = join(import.meta.dirname, name);
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${path} is stale: npm run generate`);
    process.exitCode = 1;
  }
}
