import { describe, expect, it } from 'vitest';
import { judge, noVerdict, type ProbeResult } from '../../../../agent/probe/probe-verdict.ts';
import { parseProbe } from '../../../../model/probe.ts';

const results = (text: string): ProbeResult[] =>
  text.split('').map((letter) => (letter === '+' ? { ok: true } : { ok: false, why: 'down' }));

describe('judge()', () => {
  it.each([
    ['', 'waiting'],
    ['+', 'waiting'],
    ['++', 'passing'],
    ['--', 'waiting'],
    ['---', 'failing'],
    ['--+--', 'waiting'],
    ['++--', 'passing'],
    ['++---', 'failing'],
    ['---+', 'failing'],
    ['---++', 'passing'],
  ])('of %s is %s (2 successes, 3 failures)', (row, verdict) => {
    const probe = parseProbe('success-threshold=2 failure-threshold=3 tcp://:1');
    if (probe === undefined) throw new Error('no probe');

    const judged = results(row).reduce((before, result) => judge(before, result, probe), noVerdict);

    expect(judged.verdict).toBe(verdict);
  });
});
