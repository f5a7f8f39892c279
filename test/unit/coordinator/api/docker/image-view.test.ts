import { expect, it } from 'vitest';
import { type ListedImage, mergedImages } from '../../../../../coordinator/api/docker/image-view.ts';

const image = (Id: string, changes: Partial<ListedImage> = {}): ListedImage => ({ Id, Created: 1, ...changes });

it('the same id is one image with the names of all nodes; newest first', () => {
  const listed = mergedImages([
    image('a', { RepoTags: ['web:1'], RepoDigests: ['web@sha256:1'], Containers: 2 }),
    image('b', { RepoTags: ['web:2'], Created: 2 }),
    image('a', { RepoTags: ['web:1', 'shop:1'], RepoDigests: null, Containers: 1 }),
  ]);

  expect(listed).toEqual([
    image('b', { RepoTags: ['web:2'], Created: 2 }),
    image('a', { RepoTags: ['web:1', 'shop:1'], RepoDigests: ['web@sha256:1'], Containers: 3 }),
  ]);
});

it('an image without a name on one node has the name of the other; uncounted containers stay uncounted', () => {
  const [only] = mergedImages([
    image('a', { RepoTags: ['<none>:<none>'], Containers: -1 }),
    image('a', { RepoTags: ['web:1'], Containers: -1 }),
  ]);

  expect(only).toMatchObject({ RepoTags: ['web:1'], Containers: -1 });
});
