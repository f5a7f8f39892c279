import { describe, expect, it } from 'vitest';
import { drainAndWait, formatDrain } from '../../../../cli/commands/drain.ts';
import type { DrainProgress } from '../../../../model/drain-progress.ts';

const left = (...tasks: string[]): DrainProgress => ({
  id: 'n'.repeat(25),
  node: 'h1',
  draining: true,
  left: tasks.map((task) => ({ task, waitsFor: 'its end: it was told to stop' })),
  homeless: [],
});

/** Answers one after the other, the last for ever; time passes by sleeping alone. */
function drainOf(answers: DrainProgress[]) {
  let nowMs = 0;
  const noted: DrainProgress[] = [];
  const next = async () => {
    const [answer = left()] = answers.length > 1 ? answers.splice(0, 1) : answers;
    return answer;
  };
  const sleep = async (durationMs: number) => {
    nowMs += durationMs;
  };
  const note = (progress: DrainProgress) => void noted.push(progress);
  const parts = { begin: next, look: next, clock: { elapsedMs: () => nowMs, sleep }, note };
  return { noted, run: () => drainAndWait(parts, 10_000) };
}

describe('drainAndWait()', () => {
  it('tells of every change and ends once the node is empty', async () => {
    const { run, noted } = drainOf([left('web.1', 'web.2'), left('web.1', 'web.2'), left('web.1'), left()]);

    expect((await run()).left).toEqual([]);
    expect(noted.map((progress) => progress.left.length)).toEqual([2, 1]);
  });

  it('gives up when the time is over, and says what is left', async () => {
    await expect(drainOf([left('web.1')]).run()).rejects.toThrow('1 tasks are left on h1');
  });

  it('ends when somebody took the drain back', async () => {
    const back = { ...left('web.1'), draining: false };
    await expect(drainOf([left('web.1'), back]).run()).rejects.toThrow('h1 is not drained any more');
  });
});

describe('formatDrain()', () => {
  it('is a table of what is waited for', () => {
    expect(formatDrain(left('web.1'))).toMatch(/^1 left on h1\n[^\n]*TASK *WAITS FOR\nweb\.1 +its end/);
  });
});
