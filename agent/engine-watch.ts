/** Follows the engine: its events, a full list when they begin and every 30 s, and whether it answers at all. */

import { containerLabels } from '../model/labels.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { Poke, runLoop } from '../runtime/loop.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { Engine, EngineEvent } from './engine/engine.ts';
import type { TaskSupervisor } from './task-supervisor.ts';

const FULL_LIST_MS = 30_000;
const LIST_RETRY_MS = 1_000;
const PING_MS = 1_000;
/** Missed deadlines in a row that make the engine unresponsive. */
const MISSES = 2;
const RECONNECT = { firstMs: 100, maxMs: 1_000 };

export interface EngineWatchParts {
  readonly engine: Engine;
  readonly clusterId: string;
  readonly supervisor: TaskSupervisor;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AgentMetrics;
  readonly onEvent: (event: EngineEvent) => void;
  /** After each full list the supervisor has taken in. */
  readonly onListed: () => void;
  readonly onResponsive: (responsive: boolean) => void;
}

export class EngineWatch {
  private readonly parts: EngineWatchParts;
  private readonly listNow = new Poke();
  private missed = 0;

  constructor(parts: EngineWatchParts) {
    this.parts = parts;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.followEvents(signal), this.listAll(signal), this.pingAll(signal)]);
  }

  /** Events only while connected: whatever came before the connection is in the list asked for right after it. */
  private async followEvents(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const { ended } = await this.openEvents(signal);
        failures = 0;
        this.listNow.poke();
        await ended;
        if (!signal.aborted) this.parts.log.warn({}, 'the event stream of the engine ended: opening it again');
      } catch (error) {
        failures += 1;
        if (failures === 1) this.parts.log.warn({ error: messageOf(error) }, 'cannot follow the engine: trying again');
      }
      await this.parts.clock.sleep(backoffMs(RECONNECT, Math.max(1, failures)), signal).catch(() => undefined);
    }
  }

  /** Resolves when the stream is open; the answer's `ended` resolves when it is not any more. */
  private async openEvents(signal: AbortSignal): Promise<{ readonly ended: Promise<void> }> {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    await this.parts.engine.events(this.parts.clusterId, (event) => this.take(event), end, signal);
    return { ended };
  }

  private take(event: EngineEvent): void {
    this.parts.onEvent(event);
    const taskId = event.attributes[containerLabels.task];
    this.parts.supervisor.lookAt(event.containerId, taskId, event.action).catch((error) => {
      this.parts.log.warn({ error: messageOf(error) }, 'could not look at a container: asking for the full list');
      this.listNow.poke();
    });
  }

  private listAll(signal: AbortSignal): Promise<void> {
    const { engine, clusterId, supervisor, clock, log, metrics, onListed } = this.parts;
    const tick = async () => {
      const before = supervisor.here.looksSoFar();
      supervisor.takeList(await engine.listOwn(clusterId), before);
      onListed();
    };
    const onError = (error: unknown) => {
      metrics.engineFailures.inc({ code: 'list' });
      log.warn({ error: messageOf(error), retryMs: LIST_RETRY_MS }, 'cannot list the containers of the engine');
    };
    const times = { minGapMs: 10, resyncMs: FULL_LIST_MS, retryMs: LIST_RETRY_MS };
    return runLoop({ tick, poke: this.listNow, times, clock, onError }, signal);
  }

  private pingAll(signal: AbortSignal): Promise<void> {
    const tick = async () => {
      await this.parts.engine.ping();
      this.setMissed(0);
    };
    const onError = () => this.setMissed(this.missed + 1);
    const times = { minGapMs: 10, resyncMs: PING_MS, retryMs: PING_MS };
    return runLoop({ tick, poke: new Poke(), times, clock: this.parts.clock, onError }, signal);
  }

  private setMissed(missed: number): void {
    const wasUp = this.missed < MISSES;
    this.missed = missed;
    const isUp = missed < MISSES;
    this.parts.metrics.engineUp.set(isUp ? 1 : 0);
    this.parts.onResponsive(isUp);
    if (wasUp !== isUp) this.parts.log.warn({ responsive: isUp }, 'the engine began or ceased to answer in time');
  }
}
