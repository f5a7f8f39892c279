/** One life of a host's agent: the real one, on the simulated host. */
import { Registry } from 'prom-client';
import { type RunningAgent, startAgent } from '../../../agent/agent.ts';
import type { AgentParts } from '../../../agent/agent-parts.ts';
import { beatUntil } from '../../../agent/beat.ts';
import type { BeatState } from '../../../agent/beat-state.ts';
import type { Engine } from '../../../agent/engine/engine.ts';
import { AgentSettings } from '../../../agent/settings.ts';
import type { Bus } from '../../../bus/bus.ts';
import type { JsonFiles } from '../../../runtime/files.ts';
import { noFolder } from '../../support/no-files.ts';
import { noOverlay } from '../../support/no-overlay.ts';
import { noPorts } from '../../support/no-ports.ts';
import type { Network } from './network.ts';
import type { SimulatedProcess } from './process.ts';
import type { Trace } from './trace.ts';

const BEAT_RETRY_MS = 200;

export interface AgentPlace {
  readonly host: string;
  readonly nodeId: string;
  readonly clusterId: string;
  /** Of the present power-up of the host. */
  readonly bootId: string;
  readonly hasCoordinator: boolean;
  readonly engine: Engine;
  /** Ends a container past its engine. */
  readonly killContainer: (containerId: string) => void;
  readonly files: JsonFiles;
  readonly network: Network;
  readonly trace: Trace;
  readonly newId: () => string;
  readonly planTask: AgentParts['planTask'];
  readonly beatsForMs: number;
}

const settings = AgentSettings.parse({ manageLiveRestore: false });

export function startSimulatedAgent(process: SimulatedProcess, place: AgentPlace): Promise<RunningAgent> {
  return startAgent({ ...settings, address: place.host }, partsOf(process, place));
}

function partsOf(process: SimulatedProcess, place: AgentPlace): AgentParts {
  const { network, host } = place;
  const owner = { process, host, kind: 'agent' } as const;
  const metrics = new Registry();
  const connect = () => network.connect(owner, metrics);
  const monotonicNs = () => BigInt(Math.floor(process.clock.elapsedMs())) * 1_000_000n;
  const ended = new AbortController();
  return {
    identity: { nodeId: place.nodeId, clusterId: place.clusterId, natsUrls: ['nats'] },
    version: '0.0.0',
    clock: process.clock,
    log: place.trace.logOf(process.name),
    metrics,
    engine: process.use(place.engine),
    passage: nobodyLooksIn,
    host: hostOf(process, place),
    files: process.use(place.files),
    volatileFolder: noFolder,
    probe: network.probeFrom(host, process),
    newId: place.newId,
    planTask: place.planTask,
    serveHttp: async () => ({ port: settings.port, stop: async () => undefined }),
    connect,
    ports: noPorts,
    ...noOverlay,
    startBeats: (state, incarnation) => {
      const beating = { nodeId: place.nodeId, incarnation, state, clock: process.clock, monotonicNs };
      void beat(connect, beating, ended.signal);
      if (Number.isFinite(place.beatsForMs)) process.clock.after(place.beatsForMs, () => ended.abort());
      return { stop: async () => ended.abort() };
    },
    nodeMetrics: { page: async () => ({ pieces: [], release: () => undefined }), watch: async () => undefined },
    monotonicNs,
  };
}

const nobodyLooksIn: AgentParts['passage'] = {
  open: () => {
    throw new Error('No simulated client looks into containers');
  },
};

function hostOf({ clock }: SimulatedProcess, place: AgentPlace): AgentParts['host'] {
  const { host, bootId, hasCoordinator, killContainer } = place;
  return {
    hostname: () => host,
    addressTowards: async () => host,
    uplinkMtuBytes: async () => undefined,
    hasCoordinator: () => hasCoordinator,
    logsAreUnbounded: async () => false,
    diskUse: async () => 0,
    killProcess: async ({ id }) => killContainer(id),
    uptime: () => ({ bootId, sinceBootMs: clock.elapsedMs() }),
  };
}

/** The beat thread has a connection of its own. */
async function beat(
  connect: () => Promise<{ readonly bus: Bus }>,
  beating: Parameters<typeof beatUntil>[1] & { readonly state: BeatState },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await beatUntil((await connect()).bus, beating, signal);
    } catch {
      await beating.clock.sleep(BEAT_RETRY_MS, signal).catch(() => undefined);
    }
  }
}
