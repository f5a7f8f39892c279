/** A page shown again and again in place, on a screen of its own: what was on the terminal before is there afterwards. */
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Terminal } from './terminal.ts';

const ESCAPE = '\x1b[';
/** The other screen, no cursor, long lines cut off; see xterm's control sequences (DECSET 1049, 25, 7). */
const ENTER = `${ESCAPE}?1049h${ESCAPE}?25l${ESCAPE}?7l`;
const LEAVE = `${ESCAPE}?7h${ESCAPE}?25h${ESCAPE}?1049l`;
const HOME = `${ESCAPE}H`;
const CLEAR_LINE = `${ESCAPE}K`;
const CLEAR_BELOW = `${ESCAPE}J`;

export interface LivePage {
  /** The page as it is now. When it fails, the sentence why is shown below the last one that did not. */
  readonly page: () => Promise<string>;
  readonly periodMs: number;
  readonly clock: Clock;
}

/** Shows the page until the signal aborts, and leaves the terminal as it was. Throws what the first page throws. */
export async function showLive(terminal: Terminal, live: LivePage, signal: AbortSignal): Promise<void> {
  let shown = await live.page();
  let problem = '';
  terminal.out(ENTER);
  try {
    while (!signal.aborted) {
      draw(terminal, shown + problem);
      await live.clock.sleep(live.periodMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        shown = await live.page();
        problem = '';
      } catch (error) {
        problem = `\n${terminal.colors.red(messageOf(error))}\n`;
      }
    }
  } finally {
    terminal.out(LEAVE);
  }
}

/** As much of it as the terminal has lines for. */
function draw(terminal: Terminal, page: string): void {
  const lines = page
    .trimEnd()
    .split('\n')
    .slice(0, terminal.screenSize()?.rows ?? Number.POSITIVE_INFINITY);
  terminal.out(HOME + lines.map((line) => line + CLEAR_LINE).join('\n') + CLEAR_BELOW);
}
