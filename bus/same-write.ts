/** Which write a record comes from. Pure. */
import type { Entry } from './bus.ts';

/** Where a write stands in its bucket's history, and when it was made. */
export type Write = Pick<Entry<unknown>, 'revision' | 'writtenAtMs'>;

/** The number alone does not tell: a bucket that came back older than it was gives the same numbers to other writes. */
export function isSameWrite(one: Write | undefined, other: Write): boolean {
  return one?.revision === other.revision && one.writtenAtMs === other.writtenAtMs;
}
