/**
 * The leader asks the nodes what they run. In every round for containers without an assignment; and where records cannot
 * be trusted to tell of every task, for all: at the beginning of a term (records may have been lost before), whenever a
 * bucket lost some, and when a service appears that is not new (a backup came back). Until then empty slots stay empty, lest what runs somewhere runs twice (docs/decisions/0003).
 */
import type { Bus } from '../../bus/bus.ts';
import { OrphansReply } from '../../model/messages.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { Poke } from '../../runtime/loop.ts';
import type { NodeOrphan } from '../plan/planner.ts';
import type { Doubt, NodeState, Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import type { CoordinatorMetrics } from './coordinator-metrics.ts';
import { measuredTurn } from './measured-turn.ts';

const ROUND_MS = 30_000;
const RETRY_MS = 250;
const ANSWER_TIMEOUT_MS = 2_000;
/** A node that beats and says nothing, or is described by no record, is waited for this long. */
const PATIENCE_MS = 30_000;
/** A service this old that no snapshot had before is not one that somebody creates now; clocks may differ. */
const NEW_SERVICE_MS = 60_000;
const HEARD: readonly NodeState[] = ['ready', 'suspect', 'engine-unresponsive'];

export interface InventoryParts {
  readonly bus: Pick<Bus, 'askNode'>;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: CoordinatorMetrics;
  readonly onFound: (found: readonly NodeOrphan[]) => void;
}

/** One leader's term of asking. */
export class Inventory {
  private readonly parts: InventoryParts;
  private readonly poke = new Poke();
  private lossesSeen: number;
  private servicesSeen: Snapshot['services'];
  private doubt: Doubt;
  private doubtedAtMs = 0;
  /** Containers of the nodes that have answered since the doubt began. */
  private readonly told = new Map<string, readonly NodeOrphan[]>();

  constructor(parts: InventoryParts) {
    this.parts = parts;
    this.lossesSeen = parts.store.losses;
    this.servicesSeen = parts.store.snapshot().services;
    this.doubt = this.begin('term');
  }

  /** The snapshot with what cannot be known yet. */
  addTo(snapshot: Snapshot): Snapshot {
    if (this.parts.store.losses !== this.lossesSeen || this.hasReturned(snapshot)) this.doubtAgain();
    this.servicesSeen = snapshot.services;
    return { ...snapshot, doubt: this.doubt };
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.parts;
    while (!signal.aborted) {
      try {
        await measuredTurn(this.parts, 'inventory', () => this.round());
      } catch (error) {
        log.warn({ error: messageOf(error) }, 'the nodes could not be asked what they run, trying again');
      }
      await this.pause(signal);
    }
  }

  /** Asks once: every node for what the doubt is about, or for what has no assignment. */
  async round(): Promise<void> {
    if (!this.parts.store.isCurrent) return;
    const { doubt } = this;
    if (doubt.services.size === 0) {
      const orphans = await this.orphans();
      if (orphans.length > 0) this.parts.onFound(orphans);
      return;
    }
    const heard = this.heard().filter((nodeId) => !this.told.has(nodeId));
    const answers = await Promise.all(heard.map(async (nodeId) => [nodeId, await this.ask(nodeId, true)] as const));
    if (doubt !== this.doubt) return;
    for (const [nodeId, answer] of answers) if (answer) this.told.set(nodeId, answer);
    if (this.isSettled()) this.settle();
  }

  private async pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    const cancel = clock.after(this.doubt.services.size === 0 ? ROUND_MS : RETRY_MS, () => this.poke.poke());
    await this.poke.wait(signal).finally(cancel);
  }

  private hasReturned({ services }: Snapshot): boolean {
    if (services === this.servicesSeen) return false;
    const beforeMs = this.parts.clock.wallMs() - NEW_SERVICE_MS;
    return [...services].some(([id, { value }]) => !this.servicesSeen.has(id) && value.createdAtMs < beforeMs);
  }

  private doubtAgain(): void {
    this.lossesSeen = this.parts.store.losses;
    const unsettledSinceMs = this.doubt.services.size > 0 ? this.doubtedAtMs : undefined;
    this.doubt = this.begin('loss');
    // Patience is not begun anew: one loss after the other must not keep slots empty for ever.
    this.doubtedAtMs = unsettledSinceMs ?? this.doubtedAtMs;
    this.parts.log.warn(
      { services: this.doubt.services.size },
      'records vanished that nobody deleted, or came back: no empty slot is filled before the nodes have said what they run',
    );
    this.poke.poke();
  }

  private begin(reason: 'term' | 'loss'): Doubt {
    const { store, clock, metrics } = this.parts;
    metrics.doubts.inc({ reason });
    this.told.clear();
    this.doubtedAtMs = clock.elapsedMs();
    return { sinceMs: clock.wallMs(), services: new Set(store.snapshot().services.keys()) };
  }

  /** Every node that is heard is described and has told; or has been waited for long enough. */
  private isSettled(): boolean {
    const { nodes } = this.parts.store.snapshot();
    const silent = this.heard().filter((nodeId) => !this.told.has(nodeId) || !nodes.has(nodeId));
    if (silent.length === 0) return true;
    if (this.parts.clock.elapsedMs() - this.doubtedAtMs < PATIENCE_MS) return false;
    this.parts.log.warn({ nodes: silent }, 'nodes that beat do not say what they run: going on without them');
    return true;
  }

  private settle(): void {
    const found = [...this.told.values()].flat();
    this.doubt = { ...this.doubt, services: new Set() };
    this.told.clear();
    this.parts.onFound(found);
  }

  private heard(): string[] {
    const { liveness } = this.parts.store.snapshot();
    return [...liveness].filter(([, { state }]) => HEARD.includes(state)).map(([id]) => id);
  }

  private async orphans(): Promise<NodeOrphan[]> {
    const { liveness } = this.parts.store.snapshot();
    const ready = [...liveness].filter(([, { state }]) => state === 'ready').map(([id]) => id);
    const found = await Promise.all(ready.map((nodeId) => this.ask(nodeId, false)));
    return found.flatMap((answer) => answer ?? []);
  }

  /** undefined of a node that does not answer: it is asked again. */
  private async ask(nodeId: string, all: boolean): Promise<NodeOrphan[] | undefined> {
    try {
      const reply = await this.parts.bus.askNode(nodeId, 'orphans', { all }, OrphansReply, ANSWER_TIMEOUT_MS);
      return reply.orphans.map((orphan) => ({ ...orphan, nodeId }));
    } catch (error) {
      this.parts.log.debug({ nodeId, error: messageOf(error) }, 'a node did not say what it runs');
      return undefined;
    }
  }
}
