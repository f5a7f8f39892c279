import { expect, it } from 'vitest';
import { formatValue } from '../../dashboards/draw/format-value.ts';

it.each<[unit: string, value: number | null, text: string]>([
  ['percentunit', 0.257, '25.7%'],
  ['bytes', 1_572_864, '1.5 MiB'],
  ['Bps', 2_500, '2.5 kB/s'],
  ['s', 0.0042, '4.2 ms'],
  ['s', 90, '90 s'],
  ['s', 5_400, '90 min'],
  ['short', 12_300, '12.3 K'],
  ['suffix: cores', 0.5, '0.5 cores'],
  ['bool_yes_no', 1, 'Yes'],
  ['none', 7, '7'],
  ['short', null, ''],
])('%s: %s is %s', (unit, value, text) => {
  expect(formatValue(unit, value)).toBe(text);
});
