// STEP on the command line: which record of a program is meant, or what to say when there is none.
import { RuntimeError } from '../errors.ts';
import type { Image, RecordView } from '../program/decode.ts';
import { selectRecords } from '../program/select.ts';

export const STEP_FORMS = 'a number of the listing, a JSON pointer, an operation, or POINTER:OPERATION; before: or after: in front (runt explain lists the steps)';

/** The first step a name means. Throws RuntimeError when it is no name of a step, or of none in this program. */
export function chooseStep(image: Image, name: string, flag: string): RecordView {
  const found = selectRecords(image, name);
  if (found === undefined) throw new RuntimeError(`${flag}: ${JSON.stringify(name)} names no step`, { hint: STEP_FORMS });
  if (found[0] === undefined) throw new RuntimeError(`${flag}: no step of this bundle is ${name}`, { hint: STEP_FORMS });
  return found[0];
}
