// uvu's `suite` and `test`, reporting TAP as it goes: a guest is slow, so each result is seen when it is known. payload.sh
// exchanges uvu for this module in every file it packs; a test of the virtual machine may also import it by name, for `skip`.
import { compare } from 'uvu/diff';

type Handler<T> = (context: T) => void | Promise<void>;
type Hook<T> = { (handler: Handler<T>): void; each(handler: Handler<T>): void };

export interface Test<T = Record<string, unknown>> {
  (name: string, handler: Handler<T>): void;
  only(name: string, handler: Handler<T>): void;
  skip(name?: string, handler?: Handler<T>): void;
  before: Hook<T>;
  after: Hook<T>;
  run(): void;
}

class Skip extends Error {}

/** Leaves the running test as skipped, for a reason that the report shows. */
export function skip(reason: string): never {
  throw new Skip(reason);
}

let count = 0;
let failed = false;
let running: string | undefined;
let queue = Promise.resolve();
let waiting = 0;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** A line of information below the result it precedes. */
export function note(text: string): void {
  for (const line of text.trimEnd().split('\n')) print(`# ${line}`);
}

function explain(error: unknown): void {
  if (!(error instanceof Error)) return note(String(error));
  const { details, operator, actual, expected } = error as Error & { details?: string; operator?: string; actual?: unknown; expected?: unknown };
  note(error.message);
  if (error.name.startsWith('Assertion') && operator?.includes('not') === false) note(compare(actual, expected));
  else if (details) note(details);
  note((error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line) && !line.includes('node:internal')).join('\n'));
}

async function attempt(name: string, action: () => Promise<void>): Promise<void> {
  const start = performance.now();
  let result = 'ok', directive = '';
  running = name;
  try {
    await action();
  } catch (error) {
    if (error instanceof Skip) directive = `SKIP ${error.message}`;
    else {
      result = 'not ok';
      failed = true;
      explain(error);
    }
  }
  running = undefined;
  print(`${result} ${++count} - ${name.replaceAll('#', '')} # ${directive || `${((performance.now() - start) / 1000).toFixed(1)} s`}`);
}

function makeHook<T>(once: Handler<T>[], each: Handler<T>[]): Hook<T> {
  return Object.assign((handler: Handler<T>): void => void once.push(handler), { each: (handler: Handler<T>): void => void each.push(handler) });
}

export function suite<T = Record<string, unknown>>(title = '', context: T = {} as T): Test<T> {
  const tests: { readonly name: string; readonly handler: Handler<T>; readonly only: boolean }[] = [];
  const before: Handler<T>[] = [], after: Handler<T>[] = [], beforeEach: Handler<T>[] = [], afterEach: Handler<T>[] = [];
  const named = (name: string): string => (title === '' ? name : `${title}: ${name}`);
  const all = async (handlers: readonly Handler<T>[]): Promise<void> => {
    for (const handler of handlers) await handler(context);
  };
  const add = (name: string, handler: Handler<T>, only = false): void => void tests.push({ name, handler, only });

  const runAll = async (): Promise<void> => {
    const chosen = tests.some((test) => test.only) ? tests.filter((test) => test.only) : tests;
    try {
      await all(before);
      for (const test of chosen) {
        await attempt(named(test.name), async () => {
          try {
            await all(beforeEach);
            await test.handler(context);
          } finally {
            await all(afterEach);
          }
        });
      }
      await all(after);
    } catch (error) {
      await attempt(named('before and after'), () => Promise.reject(error as Error));
    }
    waiting--;
  };

  return Object.assign((name: string, handler: Handler<T>) => add(name, handler), {
    only: (name: string, handler: Handler<T>) => add(name, handler, true),
    skip: (name = 'unnamed') => add(name, () => skip('marked test.skip')),
    before: makeHook(before, beforeEach),
    after: makeHook(after, afterEach),
    run: () => {
      waiting++;
      queue = queue.then(runAll);
    },
  });
}

export const test = suite();

process.on('exit', (code) => {
  // An exit in the middle, or a promise that nothing will settle, is no success.
  if (waiting > 0) print(`not ok ${++count} - ${running ?? 'the file'}: exited before its end`);
  print(`1..${count}`);
  if (code === 0 && (failed || waiting > 0)) process.exitCode = 1;
});
