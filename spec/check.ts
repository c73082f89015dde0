// All that is wrong with a document, at once: what the schema says, and what the rules between fields say of the parts that fit it.
import type { Config } from './config.ts';
import { checkSemantics } from './semantic.ts';
import { validateConfig, type Issue } from './validate.ts';

/** Errors and warnings of a document, in no order. An empty list, or warnings alone, is a config that may be run. */
export function checkConfig(document: unknown): readonly Issue[] {
  const issues = validateConfig(document);
  if (issues.length === 0) return checkSemantics(document as Config);
  if (issues.some(({ pointer, found }) => pointer === '' && found !== 'nothing')) return issues;
  const isKnown = ({ pointer }: Issue): boolean => issues.some((other) => pointer === other.pointer || (other.found !== 'nothing' && pointer.startsWith(`${other.pointer}/`)));
  return [...issues, ...checkSemantics(document as Config, true).filter((issue) => !isKnown(issue))];
}
