/** Images of all nodes as one list: the same id is the same image, whatever names nodes have for it. Pure. */
import { z } from 'zod';

/** An entry of an engine's own list; fields we do not look at pass through. */
export const ListedImage = z.looseObject({
  Id: z.string(),
  RepoTags: z.array(z.string()).nullish(),
  RepoDigests: z.array(z.string()).nullish(),
  Created: z.number(),
  Containers: z.number().optional(),
});
export type ListedImage = z.infer<typeof ListedImage>;
export const ListedImages = z.array(ListedImage);

/** Newest first, as an engine lists them. */
export function mergedImages(images: readonly ListedImage[]): ListedImage[] {
  const merged = new Map<string, ListedImage>();
  for (const image of images) {
    const known = merged.get(image.Id);
    merged.set(image.Id, known === undefined ? image : both(known, image));
  }
  return [...merged.values()].sort((left, right) => right.Created - left.Created);
}

function both(known: ListedImage, image: ListedImage): ListedImage {
  const counted = [known.Containers, image.Containers].filter((count) => count !== undefined && count >= 0);
  return {
    ...known,
    RepoTags: union(known.RepoTags, image.RepoTags),
    RepoDigests: union(known.RepoDigests, image.RepoDigests),
    ...(known.Containers !== undefined && {
      Containers: counted.length === 0 ? -1 : counted.reduce((sum = 0, count = 0) => sum + count, 0),
    }),
  };
}

/** `<none>:<none>` stands for no name at all. */
function union(left: readonly string[] | null | undefined, right: readonly string[] | null | undefined): string[] {
  const names = [...new Set([...(left ?? []), ...(right ?? [])])];
  const real = names.filter((name) => !name.startsWith('<none>'));
  return real.length > 0 ? real : names;
}
