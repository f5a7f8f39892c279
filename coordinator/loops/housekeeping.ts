/**
 * What the leader tidies up slowly: names nobody owns any more, status of removed nodes, memory of services long gone,
 * nodes without a specification.
 */
import type { Buckets } from '../../bus/buckets.ts';
import type { Bucket } from '../../bus/bus.ts';
import type { ClaimRecord } from '../../model/claim-record.ts';
import type { NodeSpecRecord } from '../../model/node-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import type { CoordinatorMetrics } from './coordinator-metrics.ts';
import { measuredTurn } from './measured-turn.ts';

const ROUND_MS = 30_000;
const FIRST_ROUND_MS = 2_000;
/** How long a name's owner, a service or a node must be missing before what it left behind is swept. */
const ABSENT_MS = 60_000;

/** While a record of these cannot be read, nobody can say that a name is nobody's. */
const ownersOfClaims = ['services', 'networks', 'secrets', 'configs', 'volumes'] as const;

export interface HousekeepingParts {
  readonly buckets: Buckets;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
  readonly epoch: number;
}

/** One leader's term of housekeeping. */
export class Housekeeping {
  /** Since when something has been seen without its owner, on the elapsed clock. */
  private absentSinceMs = new Map<string, number>();
  /** The same as of the round before: what a round does not meet any more is forgotten. */
  private absentBefore: ReadonlyMap<string, number> = new Map();
  private readonly parts: HousekeepingParts;

  constructor(parts: HousekeepingParts) {
    this.parts = parts;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    await clock.sleep(FIRST_ROUND_MS, signal).catch(() => undefined);
    while (!signal.aborted) {
      await measuredTurn(this.parts, 'housekeeping', () => this.round());
      await clock.sleep(ROUND_MS, signal).catch(() => undefined);
    }
  }

  /** One pass; each part on its own, so that one that fails does not keep the others from their work. */
  async round(): Promise<void> {
    if (!this.parts.store.isCurrent) return;
    const snapshot = this.parts.store.snapshot();
    this.absentBefore = this.absentSinceMs;
    this.absentSinceMs = new Map();
    await this.attempt('claims', () => this.sweepClaims(snapshot));
    await this.attempt('statuses', () => this.sweepStatuses(snapshot));
    await this.attempt('slots', () => this.sweepServiceMemory(snapshot));
    await this.attempt('node specifications', () => this.completeNodeSpecs(snapshot));
  }

  private async attempt(part: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.parts.metrics.loopErrors.inc({ loop: 'housekeeping' });
      this.parts.log.warn({ part, error: messageOf(error) }, 'a part of housekeeping failed, trying again next round');
    }
  }

  /** True once the thing has been missing for a minute of this leader's own watching. */
  private isLongAbsent(name: string, isThere: boolean): boolean {
    if (isThere) return false;
    const nowMs = this.parts.clock.elapsedMs();
    const sinceMs = this.absentBefore.get(name) ?? nowMs;
    this.absentSinceMs.set(name, sinceMs);
    return nowMs - sinceMs >= ABSENT_MS;
  }

  private async sweepClaims(snapshot: Snapshot): Promise<void> {
    if (!ownersOfClaims.every((bucket) => this.parts.store.isReadable(bucket))) return;
    const { claims } = this.parts.buckets;
    const view = await claims.watch();
    try {
      for (const [key, { value, revision }] of view.entries) {
        const isOwned = isHeld(key, value, snapshot);
        if (isOwned !== undefined && this.isLongAbsent(`claim ${key}`, isOwned))
          await this.sweep(claims, key, revision);
      }
    } finally {
      await view.close();
    }
  }

  /** Agents delete their own; a removed node's never comes back to do so. */
  private async sweepStatuses(snapshot: Snapshot): Promise<void> {
    for (const { key, value, revision } of snapshot.statuses.values()) {
      const isThere = snapshot.nodes.has(value.nodeId) || snapshot.nodeSpecs.has(value.nodeId);
      const isNeeded = isThere || snapshot.tasks.has(value.taskId);
      if (this.isLongAbsent(`status ${key}`, isNeeded)) await this.sweep(this.parts.buckets.statuses, key, revision);
    }
  }

  /** A leader that died between the last task and the service's own record leaves such behind. */
  private async sweepServiceMemory(snapshot: Snapshot): Promise<void> {
    if (!this.parts.store.isReadable('services')) return;
    const { slots, rollouts } = this.parts.buckets.fenced({ epoch: this.parts.epoch });
    const withTasks = new Set([...snapshot.tasks.values()].map((task) => task.value.serviceId));
    const isKnown = (serviceId: string) => snapshot.services.has(serviceId) || withTasks.has(serviceId);
    for (const [key, { value, revision }] of snapshot.slots) {
      if (this.isLongAbsent(`slot ${key}`, isKnown(value.serviceId))) await this.sweep(slots, key, revision);
    }
    for (const [key, { value, revision }] of snapshot.rollouts) {
      if (this.isLongAbsent(`rollout ${key}`, isKnown(value.serviceId))) await this.sweep(rollouts, key, revision);
    }
  }

  private async sweep<T>(bucket: Bucket<T>, key: string, revision: number): Promise<void> {
    this.parts.log.info({ bucket: bucket.name, key }, 'sweeping a record nobody owns');
    await bucket.delete(key, revision);
  }

  /** A living node whose specification is missing (it joined while no coordinator wrote one) gets the default one. */
  private async completeNodeSpecs(snapshot: Snapshot): Promise<void> {
    for (const { value } of snapshot.nodes.values()) {
      const isAlive = snapshot.liveness.get(value.id)?.state === 'ready';
      if (snapshot.nodeSpecs.has(value.id) || !isAlive) continue;
      await this.parts.buckets.nodeSpecs.create(value.id, defaultNodeSpec(value.id, this.parts.clock.wallMs()));
    }
  }
}

/** Whether a claim's owner is there; undefined for kinds this coordinator does not know. */
function isHeld(key: string, { ownerId }: ClaimRecord, snapshot: Snapshot): boolean | undefined {
  const owner = snapshot.services.get(ownerId)?.value;
  switch (key.split('.')[0]) {
    case 'service':
    case 'port':
      return owner !== undefined && owner.removedAtMs === undefined;
    case 'network':
      return snapshot.networks.has(ownerId);
    case 'secret':
      return snapshot.secrets.has(ownerId);
    case 'config':
      return snapshot.configs.has(ownerId);
    case 'volume':
      return snapshot.volumes.has(ownerId);
    default:
      return undefined;
  }
}

function defaultNodeSpec(id: string, nowMs: number): NodeSpecRecord {
  return {
    v: 1,
    id,
    labels: {},
    role: 'worker',
    availability: 'active',
    publicKey: '',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}
