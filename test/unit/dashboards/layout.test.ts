import { expect, it } from 'vitest';
import type { Panel } from '../../../dashboards/board.ts';
import { GRID_COLUMNS, sizesOf } from '../../../dashboards/grafana/layout.ts';
import { graph, row, stat } from '../../../dashboards/panels.ts';

const stats = (count: number) => Array.from({ length: count }, () => stat('s', 'a number', 'short', 'x'));
const graphs = (count: number) => Array.from({ length: count }, () => graph('g', 'a line', 'short', { x: 'x' }));

it.each<[panels: string, widths: number[]]>([
  ['s', [24]],
  ['sssss', [5, 5, 5, 5, 4]],
  ['sssssssss', [5, 5, 5, 5, 4, 6, 6, 6, 6]],
  ['gg', [12, 12]],
  ['ggggg', [8, 8, 8, 12, 12]],
  ['ssg', [12, 12, 24]],
])('%s fills lines from edge to edge', (panels, widths) => {
  const made = panels.split('').flatMap<Panel>((kind) => (kind === 's' ? stats(1) : graphs(1)));
  expect(sizesOf(row('r', ...made).panels).map(({ width }) => width)).toEqual(widths);
});

it('never leaves a line half empty', () => {
  for (let count = 1; count < 40; count += 1) {
    const total = sizesOf([...stats(count), ...graphs(count)]).reduce((sum, { width }) => sum + width, 0);
    expect(total % GRID_COLUMNS).toBe(0);
  }
});
