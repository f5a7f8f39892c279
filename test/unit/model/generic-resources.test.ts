import { describe, expect, it } from 'vitest';
import { genericFromList, genericToList } from '../../../model/generic-resources.ts';

const named = (Kind: string, Value: string) => ({ NamedResourceSpec: { Kind, Value } });
const discrete = (Kind: string, Value?: number) => ({
  DiscreteResourceSpec: { Kind, ...(Value === undefined ? {} : { Value }) },
});

describe('genericFromList()', () => {
  it("sums up an engine's list by kind and keeps the order of names", () => {
    expect(genericFromList([named('gpu', 'G2'), discrete('licence', 3), named('gpu', 'G1'), discrete('none')])).toEqual(
      [
        { kind: 'gpu', count: 2, names: ['G2', 'G1'] },
        { kind: 'licence', count: 3, names: [] },
        { kind: 'none', count: 0, names: [] },
      ],
    );
  });

  it('passes by an entry that says nothing', () => {
    expect(genericFromList([{}])).toEqual([]);
  });
});

describe('genericToList()', () => {
  it('is the list it was made from', () => {
    const list = [named('gpu', 'G2'), named('gpu', 'G1'), discrete('licence', 3)];

    expect(genericToList(genericFromList(list))).toEqual(list);
  });
});
