import { describe, expect, it } from 'vitest';
import { Figures, shortNumber, tableOf } from '../../bench/report.ts';

describe('Figures', () => {
  it('puts the samples of one figure into one row with a column per contestant', () => {
    const figures = new Figures();
    for (const seconds of [3, 1, 2]) figures.add('deploy', 'plimsoll', seconds, 's');
    figures.add('deploy', 'swarm', 4, 's');
    figures.add('crash', 'swarm', 5, 's', 'under 1');

    const { columns, rows } = figures.report('bench');

    expect(columns).toEqual(['plimsoll', 'swarm']);
    expect(rows[0]?.cells['plimsoll']).toEqual({ median: 2, min: 1, max: 3, samples: 3 });
    expect(rows[1]).toMatchObject({ name: 'crash', goal: 'under 1' });
  });

  it('tells each sample as it comes', () => {
    const lines: string[] = [];

    new Figures((line) => lines.push(line)).add('deploy', 'swarm', 4, 's');

    expect(lines).toEqual(['swarm: deploy: 4.00 s']);
  });
});

describe('tableOf()', () => {
  it('shows the median with its range, and a dash for what was not measured', () => {
    const figures = new Figures();
    for (const seconds of [3, 1, 2]) figures.add('deploy', 'plimsoll', seconds, 's');
    figures.add('crash', 'swarm', 5, 's', 'under 1');

    const lines = tableOf(figures.report('bench')).split('\n').slice(3);

    expect(lines[0]).toMatch(/^\| median \(min-max\) \| plimsoll +\| swarm +\| goal +\|$/);
    expect(lines[2]).toMatch(/^\| deploy, s +\| 2\.00 \(1\.00-3\.00\) \| - +\| +\|$/);
    expect(lines[3]).toMatch(/^\| crash, s +\| - +\| 5\.00 +\| under 1 \|$/);
  });
});

describe('shortNumber()', () => {
  it('gives about three digits', () => {
    expect([0.123, 12.34, 1234.5].map(shortNumber)).toEqual(['0.12', '12.3', '1235']);
  });
});
