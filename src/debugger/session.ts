// --break: stops before steps and after failures, and does what a person says there, until it goes on or ends for good.
import { readBundle } from '../container/bundle.ts';
import type { Debugging } from '../container/options.ts';
import { RuntimeError } from '../errors.ts';
import { StepFailure, type Execution } from '../execute/execute.ts';
import { describeFailure } from '../execute/failure.ts';
import { getSlot } from '../execute/records.ts';
import { readRecords, recordOffset, type Image, type RecordView } from '../program/decode.ts';
import { header, record } from '../program/layout.ts';
import { printRecord } from '../program/print.ts';
import { chooseStep } from './choose.ts';
import { injecting } from './inject.ts';
import { openShell } from './shell.ts';
import { announce, announceFailure, listing, show, showings, type Subject } from './show.ts';
import { beginTalk, type Talk } from './talk.ts';

export interface SessionOptions {
  /** STEP names, and `on-error`. */
  readonly breaks: readonly string[];
  readonly inject: readonly string[];
  readonly id: string;
  readonly bundle: string;
}

/** How a stop ends: this many steps are made before the next stop (0: on to the next break point). */
interface Onward {
  readonly steps: number;
  readonly failed: 'fail' | 'again' | 'skip';
}

const help = `  show [WHAT]       the state of the container side: ${showings.join(', ')}
  list [COUNT]      the steps around this one
  shell [COMMAND]   a shell of the host in the namespaces that the container side is in by now
  step [COUNT]      make this step and stop before the next (s, or an empty line)
  continue          go on to the next break point (c)
  break STEP        stop there too
  fail ERRNO        let this step fail with ERRNO
  retry, skip       after a failure: make the step again, or go on as if it had been done
  abort             end here; nothing of the container is left (q, or end of input)
`;

class Aborted extends RuntimeError {}

/** A debugger for one create or run. Its commands come from standard input, what it says goes to standard error. */
export function debugSession(options: SessionOptions): Debugging {
  const stops = new Set<number>();
  let stepping = 0;
  let rootfs = '';

  const stopAt = (image: Image, name: string): RecordView => {
    const chosen = chooseStep(image, name, '--break');
    const view = chosen.side === 'runtime' ? chosen : (containerSteps(image, chosen.index)[0] ?? chosen);
    stops.add(view.index);
    pauseAt(image, view.index, true);
    return view;
  };
  const converse = (view: RecordView, execution: Execution, failure: RuntimeError | undefined): Onward => {
    const { image } = execution;
    const subject: Subject = { image, view, pid: getSlot(image, 'init') ?? execution.interpreter, rootfs, id: options.id };
    const talk = beginTalk();
    try {
      talk.say(failure === undefined ? announce(subject) : announceFailure(subject, failure));
      for (;;) {
        const line = talk.ask(`(runt ${view.index}) `);
        const onward = obey(line ?? 'abort', subject, failure !== undefined, talk, (name) => stopAt(image, name));
        if (onward !== undefined) return onward;
      }
    } finally {
      talk.end();
    }
  };

  return {
    prepare: (image) => {
      rootfs = readBundle(options.bundle).rootfs;
      injecting(options.inject)(image);
      for (const name of options.breaks) {
        if (name === 'on-error') image.bytes.writeUInt32LE(1, header.hold);
        else stopAt(image, name);
      }
    },
    watch: {
      before: (view, execution) => {
        const { image } = execution;
        const isDue = stepping === 1 || stops.has(view.index);
        stepping = Math.max(0, stepping - 1);
        if (isDue) stepping = converse(view, execution, undefined).steps;
        for (const { index } of containerSteps(image, 0)) pauseAt(image, index, stops.has(index));
        // The next step may be on either side: the container side pauses at its own next one, this side needs no telling.
        const next = stepping > 0 ? containerSteps(image, view.index + 1)[0] : undefined;
        if (next !== undefined) pauseAt(image, next.index, true);
      },
      failed: (view, failure, execution) => {
        if (!options.breaks.includes('on-error')) return 'fail';
        const described = failure instanceof StepFailure ? describeFailure(execution.image, failure, () => undefined) : failure;
        try {
          return converse(view, execution, described).failed;
        } catch (error) {
          if (error instanceof Aborted) return 'fail';
          throw error;
        }
      },
    },
  };
}

function pauseAt(image: Image, index: number, isOn: boolean): void {
  image.bytes.writeUInt16LE(isOn ? 1 : 0, recordOffset(image, index) + record.pause);
}

/** Where the container side can pause, from a step on: not between the last word of `create` and the first of `start`, when nobody listens. */
function containerSteps(image: Image, from: number): readonly RecordView[] {
  const steps = readRecords(image);
  const published = steps.findIndex(({ op }) => op === 'publish');
  const reported = steps.findIndex(({ op }) => op === 'report_to');
  return steps.slice(from).filter(({ index, side, op }) => side === 'container' && op !== 'hand_over' && (index < published || index > reported));
}

/** Obeys one line; undefined when the stop goes on. Throws Aborted; what cannot be done is said, and no more. */
function obey(line: string, subject: Subject, hasFailed: boolean, talk: Talk, stopAt: (name: string) => RecordView): Onward | undefined {
  const [word = '', ...rest] = line.trim().split(/\s+/);
  const argument = rest.join(' ');
  const { image, view } = subject;
  const after = (isFailure: boolean, what: string): void => {
    if (isFailure !== hasFailed) throw new RuntimeError(hasFailed ? `${what}: the step failed, so retry, skip or abort` : `${what} is for a step that failed`);
  };
  try {
    switch (word) {
      case '': case 's': case 'step': case 'n': case 'next':
        after(false, 'step');
        return { steps: countOf(argument, 1), failed: 'fail' };
      case 'c': case 'continue': return { steps: 0, failed: 'fail' };
      case 'retry': case 'skip':
        after(true, word);
        image.bytes.writeUInt16LE(0, recordOffset(image, view.index) + record.inject);
        return { steps: 0, failed: word === 'retry' ? 'again' : 'skip' };
      case 'fail':
        after(false, word);
        injecting([`${view.index}=${argument}`])(image);
        return { steps: 0, failed: 'fail' };
      case 'show': case 'info': talk.say(show(subject, argument)); break;
      case 'l': case 'list': talk.say(listing(subject, countOf(argument, 5))); break;
      case 'b': case 'break': talk.say(`${printRecord(image, stopAt(argument))}\n`); break;
      case 'sh': case 'shell': openShell(subject, argument); break;
      case 'h': case 'help': case '?': talk.say(help); break;
      case 'q': case 'quit': case 'exit': case 'abort': throw new Aborted(`aborted before step ${view.index}`);
      default: talk.say(`  no such command: ${word}; help lists them\n`);
    }
  } catch (error) {
    if (error instanceof Aborted || !(error instanceof RuntimeError)) throw error;
    talk.say(`  ${error.message}${error.details.hint === undefined ? '' : `\n  try: ${error.details.hint}`}\n`);
  }
  return undefined;
}

function countOf(text: string, otherwise: number): number {
  if (text === '') return otherwise;
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new RuntimeError(`${text} is no count`);
  return Number(text);
}
