// JSON: everything that is known, for programs.
import type { RuntimeResults } from '../run.ts';

export function json(results: readonly RuntimeResults[]): string {
  const runtimes = results.map(({ name, path, version, outcomes }) => ({
    name, path, version,
    cases: outcomes.map(({ case: one, result, reason, notes, milliseconds, kept }) => ({
      id: one.id, group: one.group, requirement: one.requirement.id, section: one.requirement.section, level: one.requirement.level, text: one.requirement.text, result,
      ...(reason === '' ? {} : { reason }), ...(notes.length === 0 ? {} : { notes }), milliseconds: Math.round(milliseconds), ...(kept === undefined ? {} : { reproduce: `${kept}/reproduce.sh` }),
    })),
  }));
  return `${JSON.stringify({ specification: '1.3.0', runtimes }, null, 1)}\n`;
}
