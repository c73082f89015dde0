// A page of its own for one trace: the timeline, the error when there is one, and every step with its reason.
import type { Row } from './rows.ts';
import { escape, inUnits, timelineSvg } from './timeline.ts';

/** An HTML document without any outside resource. `error` is what the runtime printed, when it failed. */
export function tracePage(rows: readonly Row[], title: string, error: string | undefined): string {
  const shown = rows.filter(({ status }) => status !== 'skipped' && status !== 'pending');
  const body = shown.map((row) => `<tr class="${row.status} ${row.side}"><td>${row.index}<td>${row.side}<td class="n">${row.microseconds === undefined ? '' : inUnits(row.microseconds)}<td><code>${escape(row.op === 'hand_over' ? 'hand over' : row.step)}</code><td><code>${row.errno ?? row.result}</code><td>${escape(row.at)}<td>${escape(row.why)}</tr>`).join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title><meta name="color-scheme" content="light dark">
<style>body{font:14px system-ui,sans-serif;margin:1rem}svg{max-width:100%;height:auto}table{border-collapse:collapse;font-size:12px}td,th{padding:2px 8px;text-align:left;vertical-align:top;border-bottom:1px solid #8884}
.n{text-align:right;white-space:nowrap}.failed td{background:#c0392b33}.tolerated td{opacity:.6}pre{background:#c0392b22;padding:.7rem;white-space:pre-wrap}code{font:12px ui-monospace,monospace;overflow-wrap:anywhere}</style></head>
<body>${error === undefined ? '' : `<pre>${escape(error)}</pre>`}
${timelineSvg(rows, title, true)}
<h2>Steps</h2>
<table><thead><tr><th>step<th>side<th>took<th>call<th>result<th>from config.json<th>why</tr></thead><tbody>
${body}
</tbody></table></body></html>
`;
}
