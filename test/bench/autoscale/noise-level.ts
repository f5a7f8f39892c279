/** A load that is never twice the same, second by second, in multiples of what one replica is to carry. Pure. */
import type { Random } from '../../simulation/world/random.ts';

const MIDDLE = 2.5;
const SPREAD = 0.35;
/** The share of seconds with twice the load, and of those with none. */
const BURSTS = 0.05;
const GAPS = 0.05;

export function noiseLevel(random: Random): number {
  const kind = random.next();
  if (kind < GAPS) return 0;
  const level = MIDDLE * (1 + SPREAD * (2 * random.next() - 1));
  return kind > 1 - BURSTS ? 2 * level : level;
}
