import { createColors } from 'picocolors';
import { beforeEach, describe, expect, test } from 'vitest';
import { showLive } from '../../../cli/live-page.ts';
import type { Terminal } from '../../../cli/terminal.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const ESCAPE = '\x1b[';
const RESTORED = `${ESCAPE}?7h${ESCAPE}?25h${ESCAPE}?1049l`;

describe('showLive()', () => {
  let clock: FakeClock;
  let screen: string;
  let stopping: AbortController;
  let terminal: Terminal;

  beforeEach(() => {
    clock = new FakeClock();
    screen = '';
    stopping = new AbortController();
    terminal = {
      out: (text) => {
        screen += text;
      },
      err: () => undefined,
      colors: createColors(false),
      screenSize: () => ({ columns: 80, rows: 3 }),
    };
  });

  /** What was drawn, page by page, without control sequences. */
  function drawn(): string[] {
    const pages = screen.split(`${ESCAPE}H`).slice(1);
    return pages.map((page) => page.split(`${ESCAPE}J`)[0]?.replaceAll(`${ESCAPE}K`, '') ?? '');
  }

  test('draws in place, no more lines than there are, until told to stop, and restores the terminal', async () => {
    let turn = 0;
    const page = async () => {
      turn += 1;
      return `page ${turn}\n2\n3\n4\n`;
    };
    const showing = showLive(terminal, { page, periodMs: 2_000, clock }, stopping.signal);
    await clock.advance(4_000);
    stopping.abort();
    await showing;

    expect(drawn()).toEqual(['page 1\n2\n3', 'page 2\n2\n3', 'page 3\n2\n3']);
    expect(screen.endsWith(RESTORED)).toBe(true);
  });

  test('keeps the last page, with the reason, while there is no new one', async () => {
    let turn = 0;
    const page = async () => {
      turn += 1;
      if (turn === 2) throw new PlimsollError('unavailable', 'no coordinator');
      return `page ${turn}\n`;
    };
    const showing = showLive(terminal, { page, periodMs: 2_000, clock }, stopping.signal);
    await clock.advance(4_000);
    stopping.abort();
    await showing;

    expect(drawn()).toEqual(['page 1', 'page 1\n\nno coordinator', 'page 3']);
  });

  test('a first page that cannot be had is an error, and the terminal is not touched', async () => {
    const page = () => Promise.reject(new PlimsollError('unavailable', 'no coordinator'));

    const outcome = await showLive(terminal, { page, periodMs: 1, clock }, stopping.signal).catch((error) => error);

    expect(outcome).toMatchObject({ message: 'no coordinator' });
    expect(screen).toBe('');
  });
});
