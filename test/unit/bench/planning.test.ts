import { expect, it } from 'vitest';
import { measurePlanning } from '../../bench/plan/planning.ts';
import { Figures } from '../../bench/report.ts';

it('measurePlanning() measures placement, rest and failover of every round', () => {
  const figures = new Figures();
  let nowMs = 0;
  const cpuMs = () => {
    nowMs += 1;
    return nowMs;
  };

  measurePlanning({ size: { nodes: 3, tasks: 12 }, rounds: 2, figures, cpuMs });

  const { rows } = figures.report('plan');
  expect(rows.map((row) => row.cells['3 nodes']?.samples)).toEqual([2, 2, 2, 2]);
  expect(rows[1]?.cells['3 nodes']?.median).toBe(12_000);
});
