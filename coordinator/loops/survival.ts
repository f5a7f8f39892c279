/** Every half minute the leader plans the loss of each node, and shows which losses the cluster would not survive whole. */
import { Gauge } from 'prom-client';
import { type Clock, nowOn } from '../../runtime/clock.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { homelessWithout } from '../plan/node-loss.ts';
import { type Planner, planningAgain } from '../plan/plan.ts';
import type { Snapshot } from '../store/snapshot.ts';

const EVERY_MS = 30_000;
/** Of a large cluster so many nodes are planned for in a turn, the next ones in the next. */
const NODES_A_TURN = 100;
const BREATH_MS = 20;
/** While thousands of tasks wait for their first place an imagined plan places them all: it is worth a tenth of the time. */
const BREATH_PER_PLAN = 9;

export interface SurvivalParts {
  readonly snapshot: () => Snapshot;
  readonly isLeading: () => boolean;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export class Survival {
  private readonly parts: SurvivalParts;
  private readonly survives = new Map<string, boolean>();
  private readonly plan: Planner = planningAgain();
  private lastNodeId = '';

  constructor(parts: SurvivalParts) {
    this.parts = parts;
    this.show();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.parts.isLeading()) await this.turn(signal);
      if (!this.parts.isLeading()) this.survives.clear();
      await this.parts.clock.sleep(EVERY_MS, signal).catch(() => undefined);
    }
  }

  /** Imagines the loss of the next nodes, one by one; others have their say between two. Over once another leads. */
  async turn(signal: AbortSignal): Promise<void> {
    const { clock, snapshot } = this.parts;
    for (const nodeId of this.nextNodes()) {
      const now = nowOn(clock);
      this.survives.set(nodeId, homelessWithout(nodeId, snapshot(), now, this.plan).length === 0);
      this.lastNodeId = nodeId;
      const tookMs = clock.elapsedMs() - now.elapsedMs;
      await clock.sleep(Math.max(BREATH_MS, BREATH_PER_PLAN * tookMs), signal).catch(() => undefined);
      if (signal.aborted || !this.parts.isLeading()) return;
    }
  }

  private nextNodes(): string[] {
    const ids = [...this.parts.snapshot().nodes.keys()].sort();
    for (const id of this.survives.keys()) if (!ids.includes(id)) this.survives.delete(id);
    const later = ids.filter((id) => id > this.lastNodeId);
    return [...later, ...ids.filter((id) => id <= this.lastNodeId)].slice(0, NODES_A_TURN);
  }

  private show(): void {
    const { survives, parts } = this;
    const gauge = new Gauge({
      name: 'plimsoll_survives_node_loss',
      help: 'Whether every task of a node would find another place if the node were lost; said by the leader.',
      labelNames: ['node', 'node_id'],
      registers: [],
      collect() {
        this.reset();
        for (const [id, isSo] of survives) {
          const node = parts.snapshot().nodes.get(id)?.value.hostname ?? id;
          this.set({ node, node_id: id }, Number(isSo));
        }
      },
    });
    parts.metrics.registerMetric(gauge);
  }
}
