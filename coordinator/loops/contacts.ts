/**
 * Which nodes have heard the leader, and when: each that runs services with `plimsoll.failover.on-disconnect=stop` asks
 * every second. Those that do not hear it any more stop these by themselves, so that stand-ins can start.
 */
import { z } from 'zod';
import type { Bus, Subscription } from '../../bus/bus.ts';
import { subjects } from '../../bus/subjects.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { NodeLiveness, Snapshot } from '../store/snapshot.ts';

export interface ContactsParts {
  readonly bus: Pick<Bus, 'respondWhile'>;
  readonly clock: Clock;
  /** False as soon as the lease may be another's. */
  readonly holdsLease: () => boolean;
}

/** Of one term: what nodes heard from the leader before this one is taken to be as late as this one's beginning. */
export class Contacts {
  private readonly parts: ContactsParts;
  private readonly beganAtMs: number;
  private readonly lastAtMs = new Map<string, number>();

  constructor(parts: ContactsParts) {
    this.parts = parts;
    this.beganAtMs = parts.clock.elapsedMs();
  }

  /** Answers nodes until it is stopped. A former leader that hangs, and is still subscribed, keeps no question from it. */
  serve(): Subscription {
    const prefix = subjects.contact('');
    return this.parts.bus.respondWhile(
      subjects.contact('*'),
      z.unknown(),
      this.parts.holdsLease,
      async (_, subject) => {
        this.lastAtMs.set(subject.slice(prefix.length), this.parts.clock.elapsedMs());
        return {};
      },
    );
  }

  /** The snapshot with the last contact of every node that is lost: of the others the planner need not know. */
  addTo(snapshot: Snapshot): Snapshot {
    const lost = [...snapshot.liveness].filter(([, { state }]) => state === 'lost');
    if (lost.length === 0) return snapshot;
    const dated = lost.map(([id, known]): [string, NodeLiveness] => [id, { ...known, lastContactMs: this.lastOf(id) }]);
    return { ...snapshot, liveness: new Map([...snapshot.liveness, ...dated]) };
  }

  private lastOf(nodeId: string): number {
    return Math.max(this.beganAtMs, this.lastAtMs.get(nodeId) ?? 0);
  }
}
