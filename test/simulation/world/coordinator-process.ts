/** One life of a coordinator: the real one but for its HTTP servers. */
import { Registry } from 'prom-client';
import type { Admission } from '../../../coordinator/admission.ts';
import type { CoordinatorParts } from '../../../coordinator/coordinator-parts.ts';
import { type CoordinatorCore, startCore } from '../../../coordinator/core.ts';
import { vaultOf } from '../../../coordinator/payloads/vault.ts';
import { planningAgain } from '../../../coordinator/plan/plan.ts';
import type { Mutations } from './mutations.ts';
import type { Network } from './network.ts';
import type { SimulatedProcess } from './process.ts';
import type { Trace } from './trace.ts';

export interface CoordinatorPlace {
  readonly host: string;
  readonly nodeId: string;
  readonly coordinatorId: string;
  readonly clusterId: string;
  readonly network: Network;
  readonly trace: Trace;
  readonly newId: () => string;
  readonly random: () => number;
  readonly mutations: Mutations;
}

export function startSimulatedCoordinator(
  process: SimulatedProcess,
  place: CoordinatorPlace,
): Promise<CoordinatorCore> {
  return startCore(partsOf(process, place));
}

function partsOf(process: SimulatedProcess, place: CoordinatorPlace): CoordinatorParts {
  const { network, host, coordinatorId, clusterId, mutations } = place;
  const metrics = new Registry();
  return {
    identity: { coordinatorId, clusterId, caPem: '' },
    nodeId: () => place.nodeId,
    version: '0.0.0',
    clock: process.clock,
    log: place.trace.logOf(process.name),
    metrics,
    random: place.random,
    newId: place.newId,
    connect: async () => {
      const { bus, buckets } = await network.connect({ process, host, kind: 'coordinator' }, metrics);
      return { bus, buckets: mutations.buckets?.(buckets) ?? buckets };
    },
    plan: mutations.plan ?? planningAgain(),
    joinAddress: 'nats',
    admission: () => closedAdmission,
    probe: network.probeFrom(host, process),
    vault: vaultOf(new Uint8Array(32)),
  };
}

/** Nobody joins a simulated cluster: its nodes have been there before. */
const closedAdmission: Admission = {
  joinToken: async () => '',
  rotateJoinToken: async () => '',
  revoke: async () => undefined,
  serve: () => ({ stop: () => undefined }),
};
