/** A host whose tasks publish no ports, get no files and are on no network: what runs tasks there, without an agent. */
import { agentMetrics } from '../../agent/agent-metrics.ts';
import type { Engine } from '../../agent/engine/engine.ts';
import type { HostPlace } from '../../agent/host-config.ts';
import { ImageStore } from '../../agent/image-store.ts';
import { planTask } from '../../agent/plan/plan-task.ts';
import { type SupervisorParts, TaskSupervisor } from '../../agent/task-supervisor.ts';
import type { Clock } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { noNetworks } from './no-overlay.ts';
import { noPorts } from './no-ports.ts';

export const loneHost: HostPlace = {
  clusterId: 'cluster',
  hostname: 'h1',
  os: 'linux',
  architecture: 'x86_64',
  apiVersion: '1.51',
  logsUnbounded: false,
};

/** What carries out the steps of tasks there. */
export function loneExecutor(engine: Engine, clock: Clock): SupervisorParts['executor'] {
  return {
    images: new ImageStore(engine, clock),
    ports: noPorts,
    files: { prepare: async () => [] },
    ...noNetworks,
    place: async () => loneHost,
  };
}

/** Runs tasks there; nothing is made of what it says, unless `told` does. */
export function loneSupervisor(
  engine: Engine,
  clock: Clock,
  told: Partial<Pick<SupervisorParts, 'onStatus' | 'onForgotten' | 'contact'>> = {},
): TaskSupervisor {
  return new TaskSupervisor({
    planTask,
    clock,
    engine,
    log: createLog('test', 'silent'),
    metrics: agentMetrics(createMetrics('test', '0')),
    clusterId: loneHost.clusterId,
    incarnation: 1,
    startsAtOnce: 4,
    executor: loneExecutor(engine, clock),
    contact: { permitFor: () => 'valid', expiredForMs: () => 0 },
    kill: async () => undefined,
    onStatus: () => undefined,
    onForgotten: () => undefined,
    onChange: () => undefined,
    ...told,
  });
}
