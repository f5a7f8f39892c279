/** How much memory a daemon leaves to garbage. */
import { setFlagsFromString } from 'node:v8';

const GROWTH_PERCENT = 50;

/**
 * Lets the old generation grow by half of what is in use before it is collected, where V8 lets it grow to four times as
 * much. V8 reads the flag at each collection, so that it works however the daemon is started. The young generation cannot
 * be bounded so: see the options of the units.
 */
export function keepHeapCompact(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
