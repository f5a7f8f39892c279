import { expect, test } from 'vitest';
import { cellsOf, nameOf, runAs } from '../../matrix/cell.ts';

test('six faults, six targets, four phases; a host has one cable', () => {
  const cells = cellsOf();

  expect(new Set(cells.map(nameOf)).size).toBe(144);
  expect(new Set(cells.map((cell) => nameOf(runAs(cell)))).size).toBe(128);
});

test('a filter narrows what it names', () => {
  expect(cellsOf({ fault: ['kill'], target: ['nats', 'host'] })).toHaveLength(8);
});
