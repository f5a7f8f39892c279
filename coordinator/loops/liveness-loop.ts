/** Listens to beats and keeps the store's picture of which nodes live. Every coordinator runs it; only the leader acts on it. */
import type { Bus } from '../../bus/bus.ts';
import { subjects } from '../../bus/subjects.ts';
import { Beat } from '../../model/messages.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import { every } from '../../runtime/every.ts';
import type { Log } from '../../runtime/log.ts';
import {
  areWell,
  assess,
  excuse,
  isNews,
  livenessOf,
  type NodeWatch,
  nodesToProbe,
  noteBeat,
  noteProbe,
  type ProbeOutcome,
  silentFromMs,
  watchNode,
} from '../store/liveness.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import type { CoordinatorMetrics } from './coordinator-metrics.ts';
import { measuredAtOnce } from './measured-turn.ts';

const TICK_MS = 100;
/** While all is well it suffices to look when the first node can have fallen silent, and often enough to know our own lag. */
const CALM_TICK_MS = 400;
/** A tick this late says that beats may lie unread in our own queue. */
const LATE_MS = 50;
/** How old a lease must be before anybody is declared lost under it. */
const NEW_LEASE_PATIENCE_MS = 5_000;

export interface LivenessParts {
  readonly bus: Pick<Bus, 'subscribe' | 'connected'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
  readonly probe: (nodeId: string) => Promise<ProbeOutcome>;
  /** Since when this coordinator leads, on the elapsed clock; undefined while it does not. */
  readonly leadingSinceMs: () => number | undefined;
  readonly onChange: (nodeId: string, before: NodeWatch | undefined, after: NodeWatch) => void;
}

export class LivenessLoop {
  private watches = new Map<string, NodeWatch>();
  private published: ReadonlyMap<string, NodeWatch> = new Map();
  private readonly probing = new Set<string>();
  /** The records the watches were last compared with. */
  private followed: Pick<Snapshot, 'nodes' | 'nodeSpecs'> | undefined;
  private lastTickMs: number;
  private waitMs = TICK_MS;
  private readonly parts: LivenessParts;

  constructor(parts: LivenessParts) {
    this.parts = parts;
    this.lastTickMs = parts.clock.elapsedMs();
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, bus, log } = this.parts;
    const beats = bus.subscribe(subjects.beats, Beat, (beat, subject) => this.take(beat, subject));
    const turn = () => {
      try {
        measuredAtOnce(this.parts, 'liveness', () => this.tick());
      } catch (error) {
        log.error({ error: messageOf(error) }, 'a turn of the liveness watch failed');
      }
    };
    await every(clock, () => this.waitMs, turn, signal);
    beats.stop();
  }

  /** The subject is what the bus lets a node publish on; a beat that claims another's name is not believed. */
  private take(beat: Beat, subject: string): void {
    if (subject !== subjects.beat(beat.nodeId)) return;
    const nowMs = this.parts.clock.elapsedMs();
    const before = this.watches.get(beat.nodeId) ?? watchNode(nowMs);
    this.watches.set(beat.nodeId, noteBeat(before, beat, nowMs));
    if (isNews(before, beat)) this.judge(nowMs);
  }

  private tick(): void {
    const nowMs = this.parts.clock.elapsedMs();
    const lateMs = nowMs - this.lastTickMs - this.waitMs;
    // When in its wait this process began to hang nobody knows: at its begin, for all that is known.
    const hungMs = nowMs - this.lastTickMs - TICK_MS;
    this.lastTickMs = nowMs;
    this.waitMs = TICK_MS;
    const hasChanged = this.follow(nowMs);
    if (!this.parts.bus.connected) return this.excuseAll(Number.POSITIVE_INFINITY, nowMs);
    if (lateMs > LATE_MS) {
      this.parts.metrics.lateSeconds.inc(lateMs / 1000);
      this.excuseAll(hungMs, nowMs);
    }
    if (!hasChanged && areWell(this.published, this.watches, nowMs)) {
      this.waitMs = Math.min(CALM_TICK_MS, Math.max(TICK_MS, silentFromMs(this.watches) - nowMs));
      return;
    }
    this.judge(nowMs);
    for (const nodeId of nodesToProbe(this.watches, nowMs)) this.startProbe(nodeId);
  }

  /** Watches nodes that have a record or a specification, and no others. False while these are as they were. */
  private follow(nowMs: number): boolean {
    const { nodes, nodeSpecs } = this.parts.store.snapshot();
    if (nodes === this.followed?.nodes && nodeSpecs === this.followed.nodeSpecs) return false;
    const { isCurrent } = this.parts.store;
    this.followed = isCurrent ? { nodes, nodeSpecs } : undefined;
    for (const id of nodes.keys()) if (!this.watches.has(id)) this.watches.set(id, watchNode(nowMs));
    if (!isCurrent) return true;
    for (const [id, watch] of this.watches) {
      const isForgotten = !nodes.has(id) && !nodeSpecs.has(id) && watch.state !== 'ready';
      if (isForgotten) this.watches.delete(id);
      else if (!nodes.has(id) && !nodeSpecs.has(id)) this.followed = undefined;
    }
    return true;
  }

  private excuseAll(lateMs: number, nowMs: number): void {
    for (const [id, watch] of this.watches) this.watches.set(id, excuse(watch, lateMs, nowMs));
  }

  private judge(nowMs: number): void {
    const { leadingSinceMs, store, onChange } = this.parts;
    const leadingSince = leadingSinceMs();
    const isNewLeader = leadingSince !== undefined && nowMs - leadingSince < NEW_LEASE_PATIENCE_MS;
    const before = this.published;
    this.watches = new Map(assess(this.watches, { nowMs, mayDeclareLost: this.parts.bus.connected && !isNewLeader }));
    if (isSame(this.watches, this.published)) return;
    this.published = this.watches;
    store.setLiveness(livenessOf(this.watches));
    for (const [id, watch] of this.watches) {
      if ((before.get(id)?.state ?? 'unknown') !== watch.state) onChange(id, before.get(id), watch);
    }
  }

  private startProbe(nodeId: string): void {
    if (this.probing.has(nodeId)) return;
    this.probing.add(nodeId);
    const askedAtMs = this.parts.clock.elapsedMs();
    void this.parts.probe(nodeId).then((outcome) => {
      this.probing.delete(nodeId);
      this.parts.metrics.probes.inc({ outcome });
      const watch = this.watches.get(nodeId);
      // A beat that came while the probe was under way knows better.
      if (!watch || watch.lastBeatMs > askedAtMs) return;
      const nowMs = this.parts.clock.elapsedMs();
      this.watches.set(nodeId, noteProbe(watch, outcome, nowMs));
      this.judge(nowMs);
    });
  }
}

function isSame(left: ReadonlyMap<string, NodeWatch>, right: ReadonlyMap<string, NodeWatch>): boolean {
  return left.size === right.size && [...left].every(([id, watch]) => looksSame(watch, right.get(id)));
}

/** Beats change a watch twice a second; what snapshots show of it seldom changes. */
function looksSame(left: NodeWatch, right: NodeWatch | undefined): boolean {
  return left.state === right?.state && left.message === right.message && left.incarnation === right.incarnation;
}
