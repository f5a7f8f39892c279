/** Names and ports are claimed before the specification that uses them is written: two coordinators cannot both get one. */
import type { Bucket } from '../../bus/bus.ts';
import type { ClaimRecord } from '../../model/claim-record.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { mayHaveBeenWritten } from './errors.ts';

export interface Claim {
  readonly key: string;
  /** The error for a caller who comes second. */
  readonly refusal: (owner: ClaimRecord) => PlimsollError;
}

export class Claims {
  private readonly bucket: Bucket<ClaimRecord>;
  private readonly log: Log;

  constructor(bucket: Bucket<ClaimRecord>, log: Log) {
    this.bucket = bucket;
    this.log = log;
  }

  /** Takes all or none. Answers the keys that are new to this owner, to be released should the wish fail after all. */
  async take(claims: readonly Claim[], owner: ClaimRecord): Promise<string[]> {
    const taken: string[] = [];
    try {
      for (const claim of claims) if (await this.takeOne(claim, owner)) taken.push(claim.key);
      return taken;
    } catch (error) {
      await this.release(taken, owner.ownerId);
      throw error;
    }
  }

  /** Gives keys of this owner back. What cannot be given back now, the leader's housekeeping sweeps once nobody uses it. */
  async release(keys: readonly string[], ownerId: string): Promise<void> {
    for (const key of keys) {
      try {
        const entry = await this.bucket.get(key);
        if (entry?.value.ownerId === ownerId) await this.bucket.delete(key, entry.revision);
      } catch (error) {
        this.log.warn({ claim: key, error: messageOf(error) }, 'could not release a claim');
      }
    }
  }

  /**
   * Runs the `write` the keys were taken for; when it surely failed, they go back. After an unanswered write they stay: it
   * may have got in.
   */
  async undoneUnlessWritten(keys: readonly string[], ownerId: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!mayHaveBeenWritten(error)) await this.release(keys, ownerId);
      throw error;
    }
  }

  /** Passes a claim on in one write, so that nobody comes in between. It may have been passed on before. */
  async handOver(claim: Claim, fromId: string, owner: ClaimRecord): Promise<void> {
    const entry = await this.bucket.get(claim.key);
    if (entry?.value.ownerId === fromId) await this.bucket.update(claim.key, owner, entry.revision);
    else await this.takeOne(claim, owner);
  }

  private async takeOne({ key, refusal }: Claim, owner: ClaimRecord): Promise<boolean> {
    try {
      await this.bucket.create(key, owner);
      return true;
    } catch (error) {
      if (!(error instanceof PlimsollError) || error.code !== 'conflict') throw error;
      const held = await this.bucket.get(key);
      if (held?.value.ownerId === owner.ownerId) return false;
      throw refusal(held?.value ?? owner);
    }
  }
}
