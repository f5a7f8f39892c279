/**
 * What this node announces in a bucket, and who has applied it: the way networks and the routing mesh speak with the other
 * nodes. Who has applied an announcement tells its announcer, and nobody else.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Bucket, BucketView, Bus } from '../bus/bus.ts';
import { subjects } from '../bus/subjects.ts';
import { NetworkAcknowledgement } from '../model/network-acknowledgement.ts';
import { type Clock, withDeadline } from '../runtime/clock.ts';
import { PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { Acknowledgements, type Announced } from './network/acknowledgements.ts';

/** An announcement that takes longer is made again by the next turn: containers do not wait for it. */
const ANNOUNCE_MS = 1_000;
/** A task that has to go does not wait longer for a node that does not answer. */
const ACKNOWLEDGE_MS = 2_000;

export interface AnnouncementsParts<T> {
  readonly nodeId: string;
  readonly bus: Pick<Bus, 'publish' | 'subscribe' | 'connected'>;
  readonly bucket: Pick<Bucket<T>, 'put' | 'delete'>;
  /** Of the whole bucket. */
  readonly view: Pick<BucketView<T>, 'entries'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<AgentMetrics, 'acknowledgementsMissing'>;
}

/** An announcement of another node, as it was when this one looked. */
export interface Heard extends NetworkAcknowledgement {
  readonly key: string;
  readonly announcer: string;
}

interface Told<T> {
  readonly record: T;
  readonly revision: number;
}

export class Announcements<T> {
  private readonly parts: AnnouncementsParts<T>;
  private readonly acknowledgements: Acknowledgements;
  /** This node's own, as they were written last, by key. */
  private readonly told = new Map<string, Told<T>>();
  /** Revisions this node has acknowledged, by key. */
  private readonly done = new Map<string, number>();
  private readonly writing = new Set<Promise<void>>();

  constructor(parts: AnnouncementsParts<T>) {
    this.parts = parts;
    this.acknowledgements = new Acknowledgements(parts.clock);
  }

  /** Takes note of acknowledgements; answers the way to stop. */
  listen(): () => void {
    const subscription = this.parts.bus.subscribe(
      subjects.acknowledgements(this.parts.nodeId),
      NetworkAcknowledgement,
      (acknowledgement, subject) =>
        this.acknowledgements.note(subject.slice(subject.lastIndexOf('.') + 1), acknowledgement),
    );
    return () => subscription.stop();
  }

  /** Writes what differs from what is stored, and takes away what is gone. Rejects when the bus does not take it in time. */
  async tell(records: ReadonlyMap<string, T>, gone: readonly string[] = []): Promise<void> {
    const news = [...records].filter(([key, record]) => !this.isStored(key, record));
    if (news.length + gone.length === 0) return;
    const writes = Promise.all([
      ...news.map(([key, record]) => this.put(key, record)),
      ...gone.map((key) => this.delete(key)),
    ]);
    const late = () => new PlimsollError('timeout', `The bus did not take it within ${ANNOUNCE_MS} ms`);
    await withDeadline(this.parts.clock, ANNOUNCE_MS, writes, late);
  }

  /** Of this node's own announcement; undefined when there is none. */
  revisionOf(key: string): number | undefined {
    return this.told.get(key)?.revision ?? this.parts.view.entries.get(key)?.revision;
  }

  /**
   * Resolves when these nodes do as they were told last, or do not answer in time. A bus that is away reaches nobody: then
   * nobody is waited for. `announced` is asked once what is being written has its number. Never rejects.
   */
  async haveHeard(announced: () => readonly Announced[]): Promise<void> {
    if (!this.parts.bus.connected) return;
    await this.written();
    const nodeIds = await this.acknowledgements.all(announced(), ACKNOWLEDGE_MS);
    if (nodeIds.length === 0) return;
    this.parts.metrics.acknowledgementsMissing.inc(nodeIds.length);
    this.parts.log.warn({ nodeIds }, 'nodes did not acknowledge that a task leaves: it is stopped all the same');
  }

  /** All that others announce, to be said once this host does as they announced. */
  acknowledge(heard: readonly Heard[]): void {
    const { bus, nodeId } = this.parts;
    if (!bus.connected) return; // It would be lost: the next change says it.
    const keys = new Set(heard.map(({ key }) => key));
    // A bucket that lost what it had counts anew.
    for (const key of this.done.keys()) if (!keys.has(key)) this.done.delete(key);
    for (const { key, announcer, ...acknowledgement } of heard) {
      if (this.done.get(key) === acknowledgement.revision) continue;
      this.done.set(key, acknowledgement.revision);
      bus.publish(subjects.acknowledgement(announcer, nodeId), acknowledgement);
    }
  }

  /** The copy of the bucket may be behind what was just written. */
  private isStored(key: string, record: T): boolean {
    const told = this.told.get(key);
    return (
      isDeepStrictEqual(this.parts.view.entries.get(key)?.value, record) &&
      (told === undefined || isDeepStrictEqual(told.record, record))
    );
  }

  /** A bus that takes its time, as while its servers elect a leader, has been told nothing yet. */
  private async written(): Promise<void> {
    if (this.writing.size === 0) return;
    const late = () => new PlimsollError('timeout', `The bus did not take it within ${ACKNOWLEDGE_MS} ms`);
    await withDeadline(this.parts.clock, ACKNOWLEDGE_MS, Promise.all(this.writing), late).catch(() => undefined);
  }

  private async put(key: string, record: T): Promise<void> {
    const write = this.write(key, record);
    this.writing.add(write);
    await write.finally(() => this.writing.delete(write));
  }

  private async write(key: string, record: T): Promise<void> {
    const revision = await this.parts.bucket.put(key, record);
    if (revision < (this.told.get(key)?.revision ?? 0)) this.acknowledgements.forget();
    this.told.set(key, { record, revision });
  }

  private async delete(key: string): Promise<void> {
    await this.parts.bucket.delete(key);
    this.told.delete(key);
  }
}
