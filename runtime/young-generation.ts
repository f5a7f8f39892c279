/** How much memory a daemon leaves to garbage. */
import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's young generation at the megabyte it begins with; call it before the program's modules are loaded. V8 doubles
 * it up to 16 MB, twice, as soon as a start has used much of it, and never gives it back: 27 MB of an agent that makes
 * little garbage ever after. V8 reads the flag whenever it would grow, so that it works without a command-line option,
 * however the daemon is started.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
