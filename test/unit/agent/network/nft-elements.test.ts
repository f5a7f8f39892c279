import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ElementParts, type RenderedTable, tableChange } from '../../../../agent/network/nft-elements.ts';

const partsOfElements = fc
  .dictionary(fc.constantFrom('a', 'b', 'c'), fc.array(fc.constantFrom('1', '2', '3', '4', '5'), { maxLength: 6 }))
  .map((parts): ElementParts => new Map(Object.entries(parts)));

function tableOf(parts: ElementParts): RenderedTable {
  return {
    name: 'ours',
    frame: 'table ip ours { set members { type inet_service; } }',
    elements: new Map([['members', parts]]),
  };
}

/** As the kernel would have it; throws where an element is taken away that is not there. */
function load(kernel: ReadonlySet<string>, change: string): Set<string> {
  const elements = new Set(change.includes('delete table') ? [] : kernel);
  for (const [, verb, listed = ''] of change.matchAll(/^(add|delete) element ip ours members \{ (.*) \}$/gm)) {
    for (const element of listed.split(', ')) {
      if (verb === 'add') elements.add(element);
      else if (!elements.delete(element)) throw new Error(`No such element: ${element}`);
    }
  }
  return elements;
}

test('changes by part bring the kernel to what the whole table would, whatever came before', () => {
  fc.assert(
    fc.property(fc.array(partsOfElements, { minLength: 1, maxLength: 8 }), (steps) => {
      let kernel = new Set<string>();
      let before: RenderedTable | undefined;
      for (const parts of steps) {
        const table = tableOf(parts);
        kernel = load(kernel, tableChange(before, table));
        before = table;
        expect([...kernel].sort()).toEqual([...new Set([...parts.values()].flat())].sort());
        expect(tableChange(before, table)).toBe('');
      }
    }),
  );
});

test('of many elements only the one that changed is named', () => {
  const members = Array.from({ length: 1_000 }, (_, index) => `${index}`);
  const table = tableOf(new Map([['node', members]]));

  expect(tableChange(table, tableOf(new Map([['node', members.toSpliced(500, 1)]])))).toBe(
    'delete element ip ours members { 500 }',
  );
});

test('what another part still has stays in the kernel', () => {
  const both = tableOf(
    new Map([
      ['a', ['1']],
      ['b', ['1', '2']],
    ]),
  );

  expect(tableChange(both, tableOf(new Map([['b', ['1', '2']]])))).toBe('');
});
