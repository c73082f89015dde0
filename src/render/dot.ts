// The sequence as a graph for Graphviz: what one place in config.json causes on one side is a box, hand-overs are dashed.
import type { Row } from './rows.ts';

const SHOWN = 6; // calls in one box

/** A digraph; `dot -Tsvg` draws it. */
export function dotText(rows: readonly Row[], name: string): string {
  const boxes: { readonly side: string; readonly at: string; readonly calls: string[] }[] = [];
  const edges: string[] = [];
  let handedOver = false;
  for (const row of rows) {
    if (row.op === 'hand_over') {
      handedOver = true;
      continue;
    }
    const last = boxes.at(-1);
    if (last !== undefined && last.side === row.side && last.at === group(row.at) && !handedOver) last.calls.push(row.call);
    else {
      boxes.push({ side: row.side, at: group(row.at), calls: [row.call] });
      if (last !== undefined) edges.push(`  s${boxes.length - 2} -> s${boxes.length - 1}${last.side === row.side && !handedOver ? '' : ' [style=dashed, label="hand over"]'};\n`);
    }
    handedOver = false;
  }
  const nodes = boxes.map(({ side, at, calls }, index) => {
    const more = calls.length > SHOWN ? [`and ${calls.length - SHOWN} more`] : [];
    const label = [at || '(default)', ...calls.slice(0, SHOWN).map((call) => (call.length > 90 ? `${call.slice(0, 90)}…` : call)), ...more].map(escape).join('\\l');
    return `  s${index} [label="${label}\\l", fillcolor="${side === 'runtime' ? '#f3e8fd' : '#e3f2fd'}"];\n`;
  });
  return `digraph "${escape(name)}" {\n  node [shape=box, style=filled, fontname="monospace", fontsize=9];\n  edge [fontname="sans-serif", fontsize=9];\n${nodes.join('')}${edges.join('')}}\n`;
}

/** `/mounts/3/options/1` → `/mounts/3`: as much of a pointer as makes one box. */
const group = (pointer: string): string => pointer.split('/').slice(0, 3).join('/');

const escape = (text: string): string => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"');
