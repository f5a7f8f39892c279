import { expect, it } from 'vitest';
import { chosenOptions, wholeNumbers } from '../../bench/options.ts';

const defaults = { rounds: 5, sizes: '0,30', format: 'table' } as const;

it('takes defaults for what is not said, numbers as numbers', () => {
  expect(chosenOptions(['--rounds', '2'], defaults)).toEqual({ rounds: 2, sizes: '0,30', format: 'table' });
});

it.each([
  [['--round', '2'], "Unknown option '--round'"],
  [['--rounds', 'two'], 'Cannot use --rounds "two": wanted are whole numbers'],
  [['--format', 'yaml'], 'Cannot print as --format "yaml": use table or json'],
])('refuses %j', (args, words) => {
  expect(() => chosenOptions(args, defaults)).toThrow(words);
});

it('reads lists of numbers', () => {
  expect(wholeNumbers('sizes', '0,30,200')).toEqual([0, 30, 200]);
  expect(() => wholeNumbers('sizes', '1,x')).toThrow('Cannot use --sizes "x"');
});
