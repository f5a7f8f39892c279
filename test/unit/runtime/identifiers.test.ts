import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptId, derivedId, randomId } from '../../../runtime/identifiers.ts';

describe('derivedId()', () => {
  it('answers 25 characters of a-z0-9 for any words', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(derivedId(...words)).toMatch(/^[a-z0-9]{25}$/);
      }),
    );
  });

  it('is the same for the same words and different for different ones', () => {
    expect(derivedId('task', 'a', 1)).toBe(derivedId('task', 'a', 1));
    expect(derivedId('task', 'a', 1)).not.toBe(derivedId('task', 'a', 2));
    expect(derivedId('ab', 'c')).not.toBe(derivedId('a', 'bc'));
  });
});

describe('randomId()', () => {
  it('never repeats', () => {
    const ids = Array.from({ length: 1000 }, randomId);

    expect(new Set(ids).size).toBe(1000);
  });
});

describe('attemptId()', () => {
  it('keeps the id of the task for the first attempt only', () => {
    const task = randomId();

    expect(attemptId(task, 1)).toBe(task);
    expect(attemptId(task, 2)).not.toBe(task);
    expect(attemptId(task, 2)).not.toBe(attemptId(task, 3));
  });
});
