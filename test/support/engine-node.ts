/** Plays a node of a scripted cluster with a real engine: what its agent answers about containers and passes on to it. */

import { z } from 'zod';
import { agentMetrics } from '../../agent/agent-metrics.ts';
import { DockerEngine } from '../../agent/engine/docker-engine.ts';
import { DockerPassage } from '../../agent/engine/engine-passage.ts';
import { answerEngineSessions } from '../../agent/engine-sessions.ts';
import type { Bus, Subscription } from '../../bus/bus.ts';
import { ContainerListRequest } from '../../model/messages.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { metricValue } from './prometheus-text.ts';

export class EngineNode {
  private readonly metrics = createMetrics('agent', '0.0.0');
  private readonly answers: Subscription[];

  /** `address` is the engine's. */
  constructor(bus: Bus, nodeId: string, address: string) {
    const engine = new DockerEngine(address, systemClock, createLog('engine', 'silent'));
    const passage = new DockerPassage(address);
    const InspectRequest = z.object({ id: z.string() });
    this.answers = [
      bus.answer(nodeId, 'containers', ContainerListRequest, async ({ all }) => ({
        containers: await engine.listRaw(all),
      })),
      bus.answer(nodeId, 'inspect', InspectRequest, async ({ id }) => ({ container: await engine.inspectRaw(id) })),
      answerEngineSessions({ streams: bus, nodeId, passage, metrics: agentMetrics(this.metrics) }),
    ];
  }

  /** How many sessions coordinators have open with the engine now. */
  async openSessions(): Promise<number> {
    return metricValue(await this.metrics.metrics(), 'plimsoll_agent_engine_sessions', {});
  }

  stop(): void {
    for (const answer of this.answers) answer.stop();
  }
}
