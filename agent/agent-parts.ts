/** What an agent is put together from: the real things by default, others in tests. */

import type { Clock } from '../runtime/clock.ts';
import type { JsonFiles } from '../runtime/files.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { TcpProbe } from '../runtime/tcp-probe.ts';
import type { BeatState } from './beat-state.ts';
import type { BusLinkParts } from './bus-link.ts';
import type { EngineNetworks } from './engine/docker-networks.ts';
import type { Engine } from './engine/engine.ts';
import type { EnginePassage } from './engine/engine-passage.ts';
import type { VolatileFolder } from './files/volatile-folder.ts';
import type { Host } from './host.ts';
import type { AgentHttp, HttpParts } from './http-server.ts';
import type { NodeMetrics } from './metrics/node-metrics.ts';
import type { MeshParts } from './network/mesh/mesh.ts';
import type { OverlayParts } from './network/overlay/overlay.ts';
import type { Traffic } from './network/traffic/traffic.ts';
import type { WireguardKeys } from './network/wireguard/wireguard-keys.ts';
import type { NetworkTools } from './network-requests.ts';
import type { planTask } from './plan/plan-task.ts';
import type { ProbeClient } from './probe/probe-client.ts';
import type { UsageMeter } from './usage/usage-meter.ts';

export interface AgentParts {
  readonly identity: { readonly nodeId: string; readonly clusterId: string; readonly natsUrls: readonly string[] };
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly engine: Engine;
  /** How coordinators' requests for the virtual engine reach the engine. */
  readonly passage: EnginePassage;
  readonly host: Host;
  readonly files: JsonFiles;
  /** Where the secrets and configs of tasks lie in clear: in memory. */
  readonly volatileFolder: VolatileFolder;
  /** Can this host open a TCP connection to there? */
  readonly probe: TcpProbe;
  readonly planTask: typeof planTask;
  /** Looks into containers for `plimsoll.readiness` and `plimsoll.liveness`; absent where none can be looked into. */
  readonly probeClient?: ProbeClient;
  /** Makes an id nobody has had before. */
  readonly newId: () => string;
  /** Serves /metrics and /healthz. Throws `conflict` when the port is taken. */
  readonly serveHttp: (port: number, parts: HttpParts) => Promise<AgentHttp>;
  /** Connects to the cluster's bus; called until it succeeds. */
  readonly connect: BusLinkParts['connect'];
  /** Ingress ports of this node; `watch` keeps them repaired. */
  readonly ports: MeshParts['ports'];
  /** The kernel's side of the cluster's networks on this host. */
  readonly overlayHost: OverlayParts['host'];
  /** The key others encrypt for this host with; absent where it encrypts nothing. */
  readonly wireguard?: Pick<WireguardKeys, 'announcedKey'>;
  /** How the kernel is looked at for `plim net check`; absent where it cannot be. */
  readonly networkTools?: NetworkTools;
  /** The engine's own networks, which containers are put on. */
  readonly networks: Pick<EngineNetworks, 'connect'>;
  /** Starts sending beats from a thread of its own; the agent itself tells `state` how it does. */
  readonly startBeats: (state: BeatState, incarnation: number) => { stop(): Promise<void> };
  /** The part of /metrics about this host and all containers on it. */
  readonly nodeMetrics: NodeMetrics;
  /** Counts the connections our containers get; absent where the kernel is not to be asked. */
  readonly traffic?: Pick<Traffic, 'read'>;
  /** Reads what this host and our containers on it use. */
  /** Absent where nobody wants to know what is used: then nothing is published. */
  readonly usageMeter?: UsageMeter;
  readonly monotonicNs: () => bigint;
}
