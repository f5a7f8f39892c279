/** What each node said last of its usage. Nothing of it is stored: nodes say it again every other second. */
import type { Bus } from '../../bus/bus.ts';
import { subjects } from '../../bus/subjects.ts';
import { Usage } from '../../model/messages.ts';
import type { Clock } from '../../runtime/clock.ts';

/** What is older says nothing about now. */
const STALE_MS = 10_000;
const SWEEP_MS = 10_000;

export interface HeardUsage {
  readonly usage: Usage;
  /** On the elapsed clock. */
  readonly heardAtMs: number;
}

export interface UsageBookParts {
  readonly bus: Pick<Bus, 'subscribe'>;
  readonly clock: Clock;
  /** Nodes of the cluster; what others say is not kept. */
  readonly isNode: (nodeId: string) => boolean;
}

export class UsageBook {
  private readonly heard = new Map<string, HeardUsage>();
  private readonly parts: UsageBookParts;
  private readonly listeners = new Set<() => void>();

  constructor(parts: UsageBookParts) {
    this.parts = parts;
  }

  /** Listens until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { bus, clock } = this.parts;
    const subscription = bus.subscribe(subjects.usages, Usage, (usage, subject) => this.take(usage, subject));
    while (!signal.aborted) {
      await clock.sleep(SWEEP_MS, signal).catch(() => undefined);
      this.sweep();
    }
    subscription.stop();
  }

  /** Called whenever a node has said what it uses. Returns the way to stop. */
  onHeard(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** By node, what was heard in the last 10 s. */
  fresh(): ReadonlyMap<string, HeardUsage> {
    const oldestMs = this.parts.clock.elapsedMs() - STALE_MS;
    return new Map([...this.heard].filter(([nodeId, each]) => each.heardAtMs > oldestMs && this.parts.isNode(nodeId)));
  }

  /** How long ago each node of the cluster was heard, in seconds; nodes not heard yet are absent. */
  agesSeconds(): ReadonlyMap<string, number> {
    const nowMs = this.parts.clock.elapsedMs();
    const known = [...this.heard].filter(([nodeId]) => this.parts.isNode(nodeId));
    return new Map(known.map(([nodeId, { heardAtMs }]) => [nodeId, (nowMs - heardAtMs) / 1000]));
  }

  /** The subject is what the bus lets a node publish on; usage that claims another's name is not believed. */
  private take(usage: Usage, subject: string): void {
    if (subject !== subjects.usage(usage.nodeId) || !this.parts.isNode(usage.nodeId)) return;
    this.heard.set(usage.nodeId, { usage, heardAtMs: this.parts.clock.elapsedMs() });
    for (const listener of this.listeners) listener();
  }

  private sweep(): void {
    for (const nodeId of this.heard.keys()) if (!this.parts.isNode(nodeId)) this.heard.delete(nodeId);
  }
}
