// The engines without runt: what is left of a command when there is nothing of ours in it.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** The scenarios that these programs are; no runtime but ours has them. */
export const engineScenarios = ['the engine alone', 'the engine and koffi'] as const;

export type Programs = Readonly<Record<string, readonly string[]>>;

/** Words of each program, by scenario, for the executable's engine and for Node; compiled as the executable is (native/build/build.sh). */
export function enginePrograms(repository: string, cache: string): { readonly executable: Programs; readonly node: Programs } {
  const source = (name: string): string => join(repository, 'conformance/bench/engine', `${name}.js`);
  const compile = (name: string): string => {
    const directory = join(cache, 'engines', name);
    mkdirSync(join(directory, 'engine'), { recursive: true });
    copyFileSync(join(repository, 'dist/runt'), join(directory, 'runt')); // the launcher
    const flags = ['--compile', '--minify', '--bytecode', '--format=esm', '--no-compile-autoload-dotenv', '--no-compile-autoload-bunfig', '--no-compile-autoload-tsconfig', '--no-compile-autoload-package-json'];
    execFileSync(join(repository, 'node_modules/.bin/bun'), ['build', ...flags, source(name), '--outfile', join(directory, 'engine/runt')], { stdio: 'ignore' });
    return join(directory, 'runt');
  };
  const [alone, koffi] = engineScenarios;
  return {
    executable: { [alone]: [compile('alone')], [koffi]: [compile('koffi'), join(repository, 'dist/librtstdc++.so')] },
    node: { [alone]: [process.execPath, '--no-warnings', source('alone')], [koffi]: [process.execPath, '--no-warnings', source('koffi'), join(repository, 'dist/koffi.node')] },
  };
}
