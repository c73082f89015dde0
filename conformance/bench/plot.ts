// The plot: for each scenario a row of bars, one for each runtime, p50 filled and p95 as a line, on one logarithmic scale.
import type { Bench, Runtime } from './measure.ts';
import type { Scenario } from './scenarios.ts';
import { median, percentile } from './statistics.ts';

const colours = ['#2f6fb0', '#8fb8de', '#c8553d', '#6a994e', '#555555', '#9c6ade'];
const LABEL = 220, WIDTH = 900, BAR = 9, GAP = 8, TOP = 60;
const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export function svg(bench: Bench, runtimes: readonly Runtime[], list: readonly Scenario[], machine: string): string {
  const groups = list.map(({ name }) => ({ name, bars: runtimes.flatMap((runtime, index) => {
    const samples = bench.of(runtime.name, name);
    return samples === undefined ? [] : [{ colour: colours[index % colours.length]!, p50: median(samples.milliseconds), p95: percentile(samples.milliseconds, 95), runtime: runtime.name }];
  }) })).filter(({ bars }) => bars.length > 0);
  const all = groups.flatMap(({ bars }) => bars.flatMap(({ p50, p95 }) => [p50, p95]));
  const low = Math.log10(Math.min(1, ...all)), high = Math.log10(Math.max(10, ...all));
  const x = (value: number): number => LABEL + ((Math.log10(value) - low) / (high - low)) * (WIDTH - LABEL - 20);
  let y = TOP;
  const rows = groups.map(({ name, bars }) => {
    const begin = y;
    const drawn = bars.map(({ colour, p50, p95, runtime }) => {
      const line = `<rect x="${LABEL}" y="${y}" width="${(x(p50) - LABEL).toFixed(1)}" height="${BAR - 1}" fill="${colour}"><title>${escape(`${runtime}, ${name}: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`)}</title></rect><line x1="${x(p50).toFixed(1)}" x2="${x(p95).toFixed(1)}" y1="${y + BAR / 2}" y2="${y + BAR / 2}" stroke="${colour}"/>`;
      y += BAR;
      return line;
    });
    const label = `<text x="${LABEL - 8}" y="${(begin + y) / 2 + 4}" text-anchor="end">${escape(name)}</text>`;
    y += GAP;
    return label + drawn.join('');
  });
  const ticks = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= high);
  const grid = ticks.map((tick) => `<line x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${TOP - 6}" y2="${y}" stroke="#ddd"/><text x="${x(tick).toFixed(1)}" y="${TOP - 10}" text-anchor="middle">${tick}</text>`);
  const legend = runtimes.map(({ name }, index) => `<rect x="${LABEL + index * 120}" y="18" width="10" height="10" fill="${colours[index % colours.length]}"/><text x="${LABEL + 14 + index * 120}" y="27">${escape(name)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 24}" font-family="system-ui,sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/><text x="8" y="27">milliseconds</text>${grid.join('')}${legend.join('')}${rows.join('\n')}<text x="8" y="${y + 14}" fill="#777">${escape(machine)}</text></svg>\n`;
}
