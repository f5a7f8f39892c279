/** A whole coordinator's surroundings where only the bus, the clock and the vault matter. */
import type { CoordinatorParts } from '../../coordinator/coordinator-parts.ts';
import { plan } from '../../coordinator/plan/plan.ts';
import { systemClock } from '../../runtime/clock.ts';
import { derivedId, randomId } from '../../runtime/identifiers.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { testVault } from './wishes.ts';

/** Nobody joins, and no agent can be reached but over the bus. */
export function coordinatorParts(connect: CoordinatorParts['connect']): CoordinatorParts {
  return {
    identity: { coordinatorId: randomId(), clusterId: derivedId('cluster'), caPem: '' },
    nodeId: () => undefined,
    version: '0.0.0',
    clock: systemClock,
    log: createLog('test', 'silent'),
    metrics: createMetrics('test', '0'),
    random: () => 0.5,
    newId: randomId,
    plan,
    connect,
    joinAddress: '127.0.0.1:4222',
    admission: () => ({
      joinToken: async () => 'token',
      rotateJoinToken: async () => 'token',
      revoke: async () => undefined,
      serve: () => ({ stop: () => undefined }),
    }),
    probe: async () => ({ reachable: false, error: 'no answer' }),
    vault: testVault,
  };
}
