/** Passes on what happened to this cluster's containers, for `docker events` and for whoever asks why. */
import type { Bus } from '../bus/bus.ts';
import type { ClusterEvent } from '../model/messages.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { EngineEvent } from './engine/engine.ts';

/** Events waiting for the bus; beyond it the oldest are lost, and counted: they explain, they decide nothing. */
const WAITING_LIMIT = 1_000;

export class ContainerEvents {
  private readonly waiting: ClusterEvent[] = [];
  private readonly nodeId: string;
  private readonly log: Log;
  private readonly metrics: AgentMetrics;
  private bus: Bus | undefined;
  private sending = false;

  constructor(nodeId: string, log: Log, metrics: AgentMetrics) {
    this.nodeId = nodeId;
    this.log = log;
    this.metrics = metrics;
  }

  attach(bus: Bus): void {
    this.bus = bus;
    bus.onConnectionChange(() => void this.send());
    void this.send();
  }

  take(event: EngineEvent): void {
    const { action, containerId, attributes, atMs } = event;
    this.waiting.push({
      kind: 'container',
      id: containerId,
      action,
      attributes: { ...attributes, 'plimsoll.node.id': this.nodeId },
      atMs,
    });
    if (this.waiting.length > WAITING_LIMIT) {
      this.waiting.shift();
      this.metrics.eventsLost.inc();
    }
    void this.send();
  }

  private async send(): Promise<void> {
    if (this.sending || !this.bus?.connected) return;
    this.sending = true;
    try {
      for (let event = this.waiting[0]; event; event = this.waiting[0]) {
        await this.bus.publishDurably(`plim.event.container.${this.nodeId}`, event);
        this.waiting.shift();
      }
    } catch (error) {
      this.log.debug({ error: messageOf(error), waiting: this.waiting.length }, 'the bus did not take an event');
    } finally {
      this.sending = false;
    }
  }
}
