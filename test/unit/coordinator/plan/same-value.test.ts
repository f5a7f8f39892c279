import { expect, test } from 'vitest';
import { sameValue } from '../../../../coordinator/plan/same-value.ts';

test.each([
  ['members in another order', { a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }, true],
  ['undefined on the left', { a: 1, b: undefined }, { a: 1 }, true],
  ['undefined on the right', { a: 1 }, { a: 1, b: undefined }, true],
  ['one more on the left', { a: 1, b: 2 }, { a: 1 }, false],
  ['one more on the right', { a: 1 }, { a: 1, b: 2 }, false],
  ['a member every object inherits', {}, { constructor: 'x' }, false],
  ['null is not absence', { a: null }, {}, false],
  ['a longer list', [1], [1, 2], false],
  ['a list and an object', [], {}, false],
])('%s', (_, left, right, same) => {
  expect(sameValue(left, right)).toBe(same);
  expect(sameValue(right, left)).toBe(same);
});
