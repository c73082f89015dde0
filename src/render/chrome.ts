// The trace event format of Chromium's about:tracing, which Perfetto opens (JSON object form, complete events).
import type { Row } from './rows.ts';

interface Head {
  readonly id: string;
  readonly command: string;
  readonly started: string;
}

const threads = { runtime: 1, container: 2 } as const;

/** One process named after the container, one track for each side, a slice for each step. */
export function chromeTrace(rows: readonly Row[], head: Head): string {
  const name = (kind: string, tid: number, text: string): unknown => ({ ph: 'M', cat: '__metadata', name: kind, pid: 1, tid, ts: 0, args: { name: text } });
  const events: unknown[] = [name('process_name', 0, `${head.command} ${head.id}`), name('thread_name', threads.runtime, 'runtime side'), name('thread_name', threads.container, 'container side')];
  for (const row of rows) {
    if (row.span === undefined) continue;
    const label = row.isWait ? 'waiting for start' : row.op === 'hand_over' ? 'hand over' : row.op;
    events.push({
      ph: 'X', name: label, cat: row.at === '' ? 'default' : row.at, pid: 1, tid: threads[row.side], ts: row.span.start, dur: row.span.end - row.span.start,
      args: { step: row.index, call: row.step, result: row.errno ?? row.result, status: row.status, at: row.at, why: row.why },
      ...(row.status === 'failed' ? { cname: 'terrible' } : {}),
    });
  }
  return `${JSON.stringify({ traceEvents: events, displayTimeUnit: 'ns', otherData: head })}\n`;
}
