import { expect, it } from 'vitest';
import { labelText } from '../../../runtime/label-text.ts';

it('writes labels in the order given, values escaped as the text format wants it', () => {
  expect(labelText({ a: '1', path: 'C:\\x', words: 'say "hi"\nnow' })).toBe(
    'a="1",path="C:\\\\x",words="say \\"hi\\"\\nnow"',
  );
  expect(labelText({})).toBe('');
});
