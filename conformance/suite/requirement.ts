// What a document asks of a runtime, in our own words: the list that cases name and that decides what is covered.

/** RFC 2119's words; PROPERTY is what config.json says a key means; CALLER is what managers rely on; SECURITY is what must not be possible. */
export type Level = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'PROPERTY' | 'CALLER' | 'SECURITY' | 'FIGURE';

export interface Requirement {
  /** document#section/word. */
  readonly id: string;
  /** document#section, as a link into the runtime-spec. */
  readonly section: string;
  readonly level: Level;
  readonly text: string;
  /** Why no case can test it from outside on Linux. */
  readonly untested?: string;
}

type Row = readonly [word: string, level: Level, text: string, untested?: string];

/** The requirements of one section. */
export function section(name: string, rows: readonly Row[]): readonly Requirement[] {
  return rows.map(([word, level, text, untested]) => ({ id: `${name}/${word}`, section: name, level, text, ...(untested === undefined ? {} : { untested }) }));
}
