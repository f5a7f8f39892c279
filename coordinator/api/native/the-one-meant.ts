/** Which of several things somebody means. Pure. */
import { PlimsollError } from '../../../runtime/errors.ts';

export interface Named {
  readonly id: string;
  readonly name: string;
}

/** By name, id, or the beginning of an id. Throws `not-found`, or `invalid` for a beginning that several ids have. */
export function theOneMeant<T extends Named>(candidates: readonly T[], term: string): T {
  const exact = candidates.find((each) => each.id === term || each.name === term);
  if (exact) return exact;
  const matching = candidates.filter((each) => each.id.startsWith(term));
  if (matching.length > 1) {
    const names = matching.map((each) => `${each.name} (${each.id})`).join(', ');
    throw new PlimsollError('invalid', `"${term}" fits several things: ${names}. Give more of the id`);
  }
  const only = matching[0];
  if (!only) throw new PlimsollError('not-found', `No service, task or node is called "${term}"`);
  return only;
}
