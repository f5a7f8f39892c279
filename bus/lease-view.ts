/** The lease as those see it who obey leaders: who leads, and whose orders are out of date. */
import type { LeaseRecord } from '../model/lease-record.ts';
import type { Buckets } from './buckets.ts';
import type { BucketView } from './bus.ts';
import { leaseKey } from './lease.ts';

export class LeaseView {
  private readonly view: BucketView<LeaseRecord>;
  private highest: number;
  private readonly stopListening: () => void;

  private constructor(view: BucketView<LeaseRecord>, knownEpoch: number) {
    this.view = view;
    this.highest = knownEpoch;
    this.learn();
    this.stopListening = view.onChange(() => this.learn());
  }

  /** `knownEpoch`: the highest epoch this host has seen before, from its own disk. Throws when the bus is away. */
  static async open(buckets: Buckets, knownEpoch = 0): Promise<LeaseView> {
    return new LeaseView(await buckets.leases.watch(leaseKey), knownEpoch);
  }

  /** Grows only: an expired lease does not make old orders good again. */
  get highestEpoch(): number {
    return this.highest;
  }

  /** The lease as last seen; an expired one shows for up to 5 s more. */
  get leader(): LeaseRecord | undefined {
    return this.view.entries.get(leaseKey)?.value;
  }

  /** Whether an order of this epoch may be obeyed; a higher one than any before is taken in. */
  accepts(epoch: number): boolean {
    this.highest = Math.max(this.highest, epoch);
    return epoch >= this.highest;
  }

  onChange(listener: () => void): () => void {
    return this.view.onChange(listener);
  }

  async close(): Promise<void> {
    this.stopListening();
    await this.view.close();
  }

  private learn(): void {
    this.highest = Math.max(this.highest, this.leader?.epoch ?? 0);
  }
}
