/** Which images may go when the engine's disk runs full: ours, unused, and not of a service's last two. */

/** An image a task of the service was run from here. */
export interface ImageUse {
  readonly image: string;
  readonly serviceId: string;
  /** We fetched it: what was built or loaded on this host may exist nowhere else. */
  readonly pulled: boolean;
  readonly lastUsedAtMs: number;
}

const KEPT_PER_SERVICE = 2;
const UNUSED_FOR_MS = 24 * 60 * 60 * 1000;

/** Of those we pulled, longest unused first. `inUse`: references of assignments and of every container on the engine. */
export function removableImages(uses: readonly ImageUse[], inUse: ReadonlySet<string>, nowMs: number): string[] {
  const kept = new Set([...inUse, ...newestOfEachService(uses)]);
  const pulled = new Set(uses.filter((use) => use.pulled).map((use) => use.image));
  const lastUsed = new Map<string, number>();
  for (const { image, lastUsedAtMs } of uses) lastUsed.set(image, Math.max(lastUsedAtMs, lastUsed.get(image) ?? 0));
  return [...lastUsed]
    .filter(([image, atMs]) => pulled.has(image) && !kept.has(image) && nowMs - atMs > UNUSED_FOR_MS)
    .sort(([, a], [, b]) => a - b)
    .map(([image]) => image);
}

function newestOfEachService(uses: readonly ImageUse[]): string[] {
  const newestFirst = [...uses].sort((a, b) => b.lastUsedAtMs - a.lastUsedAtMs);
  const taken = new Map<string, number>();
  return newestFirst
    .filter(({ serviceId }) => {
      const count = (taken.get(serviceId) ?? 0) + 1;
      taken.set(serviceId, count);
      return count <= KEPT_PER_SERVICE;
    })
    .map(({ image }) => image);
}
