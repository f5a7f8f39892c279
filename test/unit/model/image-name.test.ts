import { expect, it } from 'vitest';
import { familiarImageName, splitReference } from '../../../model/image-name.ts';

it.each([
  ['web', 'web:latest'],
  ['web:1', 'web:1'],
  ['docker.io/library/web', 'web:latest'],
  ['docker.io/shop/web:1', 'shop/web:1'],
  ['registry:5000/web', 'registry:5000/web:latest'],
  ['web@sha256:ab', 'web@sha256:ab'],
])('%s is %s', (reference, name) => {
  expect(familiarImageName(reference)).toBe(name);
});

it('a registry’s port is no tag', () => {
  expect(splitReference('registry:5000/web')).toEqual({ repository: 'registry:5000/web', tag: 'latest' });
  expect(splitReference('registry:5000/web:2')).toEqual({ repository: 'registry:5000/web', tag: '2' });
});
