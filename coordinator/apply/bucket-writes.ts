/** What actions write to one bucket, written at once. */
import type { Bucket, RecordWrite } from '../../bus/bus.ts';
import type { Action } from '../plan/actions.ts';
import type { WatchedBucket } from '../store/store.ts';

/** What an action changed in a bucket. */
export type Change =
  | { readonly bucket: WatchedBucket; readonly revision: number }
  | { readonly bucket: WatchedBucket; readonly deleted: string };

/** An action carried out, with what it changed in the buckets; or one that failed. */
export type Outcome =
  | { readonly action: Action; readonly change: Change | undefined }
  | { readonly action: Action; readonly error: unknown };

export class BucketWrites<T> {
  private readonly name: WatchedBucket;
  private readonly bucket: Pick<Bucket<T>, 'writeAll'>;
  private readonly actions: Action[] = [];
  private readonly writes: RecordWrite<T>[] = [];

  constructor(name: WatchedBucket, bucket: Pick<Bucket<T>, 'writeAll'>) {
    this.name = name;
    this.bucket = bucket;
  }

  /** The action's record over the revision expected; without one, the key must not exist. */
  put(action: Action, value: T, expectedRevision: number | undefined): void {
    this.actions.push(action);
    this.writes.push({ key: action.key, value, expectedRevision });
  }

  delete(action: Action & { readonly expectedRevision: number }): void {
    const { key, expectedRevision } = action;
    this.actions.push(action);
    this.writes.push({ key, value: undefined, expectedRevision });
  }

  /** Never throws. */
  async send(): Promise<Outcome[]> {
    if (this.writes.length === 0) return [];
    const written = await this.bucket.writeAll(this.writes);
    return this.actions.map((action, at): Outcome => {
      const outcome = written[at];
      if (!outcome || 'error' in outcome) return { action, error: outcome?.error };
      const isDeleted = this.writes[at]?.value === undefined;
      const bucket = this.name;
      return { action, change: isDeleted ? { bucket, deleted: action.key } : { bucket, revision: outcome.revision } };
    });
  }
}
