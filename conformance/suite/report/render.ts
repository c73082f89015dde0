// Which report is made by whom.
import type { ReportName } from '../options.ts';
import type { RuntimeResults } from '../run.ts';
import { html } from './html.ts';
import { json } from './json.ts';
import { junit } from './junit.ts';
import { markdown } from './markdown.ts';
import { tap } from './tap.ts';

const makers = { tap, junit, json, markdown, html } satisfies Record<ReportName, (results: readonly RuntimeResults[]) => string>;

export function render(name: ReportName, results: readonly RuntimeResults[]): string {
  return makers[name](results);
}
