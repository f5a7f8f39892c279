/** What operators wish of the cluster as a whole. */
import { isConflict, PlimsollError } from '../../runtime/errors.ts';
import { StaleVersionError } from './errors.ts';
import { announce } from './wish-events.ts';
import type { WishParts } from './wish-parts.ts';

export interface ClusterWish {
  readonly taskHistoryLimit: number;
  readonly labels: Readonly<Record<string, string>>;
}

export class ClusterWishes {
  private readonly parts: WishParts;

  constructor(parts: WishParts) {
    this.parts = parts;
  }

  /** Throws StaleVersionError unless the stored version is `version`. */
  async update(wish: ClusterWish, version: number): Promise<void> {
    const entry = await this.parts.buckets.clusters.get('main');
    if (entry === undefined) {
      throw new PlimsollError(
        'unavailable',
        'the record of the cluster is not there yet: wait for a leader and try again',
      );
    }
    if (entry.revision !== version) throw new StaleVersionError();
    const updatedAtMs = this.parts.clock.wallMs();
    const after = { ...entry.value, taskHistoryLimit: wish.taskHistoryLimit, labels: { ...wish.labels }, updatedAtMs };
    try {
      await this.parts.barrier.reached('clusters', await this.parts.buckets.clusters.update('main', after, version));
    } catch (error) {
      throw isConflict(error) ? new StaleVersionError() : error;
    }
    await announce(this.parts, 'cluster', entry.value.id, 'update', {});
  }
}
