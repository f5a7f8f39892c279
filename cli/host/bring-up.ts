/** `plim up`: everything a host needs to be a cluster, step by step, each step leaving alone what is right already. */
import { openCluster } from '../../bus/identity/cluster.ts';
import { natsServerCommand, natsServerReady } from '../../bus/server/nats-server.ts';
import { ClusterStatus, type NodeSummary } from '../../model/native-api.ts';
import type { Clock } from '../../runtime/clock.ts';
import { programVersion } from '../../runtime/version.ts';
import { createApiClient } from '../api-client.ts';
import type { Unit } from '../supervise/unit.ts';
import { engineProblem, prepareEngine } from './engine.ts';
import { foundCluster, joinLocally } from './join-cluster.ts';
import { writePrometheusConfig } from './prometheus.ts';
import type { UnitChange, UnitHost } from './unit-host.ts';
import { agentUnit, coordinatorUnit, dnsUnit, type HostLayout, natsUnit, prometheusUnit } from './units.ts';
import { waitUntil } from './wait-until.ts';

const COORDINATOR_PORT = 7700;
const NATS_TIMEOUT_MS = 20_000;
const COORDINATOR_TIMEOUT_MS = 45_000;
const AGENT_TIMEOUT_MS = 30_000;
const ENGINE_TIMEOUT_MS = 60_000;
const PROMETHEUS_TIMEOUT_MS = 30_000;

export interface BringUpOptions {
  readonly layout: HostLayout & { readonly address: string };
  readonly natsServer: string;
  readonly natsPort: number;
  /** Start containerd and dockerd here if no engine answers. */
  readonly startEngine: boolean;
  /** Further arguments for a dockerd started here. */
  readonly dockerdArgs: readonly string[];
  readonly prometheus: { readonly file: string; readonly listen: string } | undefined;
}

export interface BringUpParts {
  readonly units: UnitHost;
  readonly clock: Clock;
  /** One line of progress for people. */
  readonly note: (line: string) => void;
}

/** Resolves when all of it is healthy; throws naming the part that is not and where to look. */
export async function bringUp(options: BringUpOptions, parts: BringUpParts): Promise<void> {
  const { layout } = options;
  await bringUpEngine(options, parts);
  const cluster = await foundCluster(
    layout.stateDir,
    { address: layout.address, natsPort: options.natsPort },
    parts.clock,
  );
  parts.note(`cluster ${cluster.clusterId} at ${layout.address}`);
  await bringUpNats(options, parts);
  await bringUpCoordinator(layout, parts);
  await bringUpAgent(layout, parts);
  if (options.prometheus) await bringUpPrometheus(layout, options.prometheus, parts);
}

async function bringUpEngine(options: BringUpOptions, parts: BringUpParts): Promise<void> {
  const { docker } = options.layout;
  const ours = (await parts.units.names()).includes('dockerd');
  const problem = await engineProblem(docker);
  if (options.startEngine && (ours || problem !== undefined)) {
    for (const unit of prepareEngine(docker, options.layout, options.dockerdArgs)) await applyUnit(unit, parts);
  }
  const logHint = ours || options.startEngine ? parts.units.logHint('dockerd') : 'the log of your Docker Engine';
  const timeoutMs = options.startEngine ? ENGINE_TIMEOUT_MS : 0;
  const what = `the Docker Engine at ${docker}`;
  await waitUntil(parts.clock, { what, problem: () => engineProblem(docker), timeoutMs, logHint });
}

async function bringUpNats(options: BringUpOptions, parts: BringUpParts): Promise<void> {
  const { stateDir } = options.layout;
  const command = await natsServerCommand(stateDir, { executable: options.natsServer });
  await applyUnit(natsUnit(command, programVersion()), parts);
  await natsServerReady(openCluster(stateDir), parts.clock, NATS_TIMEOUT_MS);
}

async function bringUpCoordinator(layout: HostLayout, parts: BringUpParts): Promise<void> {
  await applyUnit(coordinatorUnit(layout), parts);
  await waitUntil(parts.clock, {
    what: 'the coordinator',
    timeoutMs: COORDINATOR_TIMEOUT_MS,
    logHint: parts.units.logHint('coordinator'),
    problem: async () => {
      const { status, text } = await createApiClient(layout.socket).status('/readyz');
      return status === 200 ? undefined : text.trim();
    },
  });
}

async function bringUpAgent(layout: HostLayout, parts: BringUpParts): Promise<void> {
  const nodeId = await joinLocally(layout.stateDir, parts.clock);
  const before = (await findNode(layout.socket, nodeId))?.incarnation ?? 0;
  await applyUnit(dnsUnit(layout), parts);
  const change = await applyUnit(agentUnit(layout), parts);
  await waitUntil(parts.clock, {
    what: "this host's agent",
    timeoutMs: AGENT_TIMEOUT_MS,
    logHint: parts.units.logHint('agent'),
    problem: async () => nodeProblem(await findNode(layout.socket, nodeId), change === 'unchanged' ? 0 : before),
  });
}

async function findNode(socket: string, nodeId: string): Promise<NodeSummary | undefined> {
  const { nodes } = await createApiClient(socket).get('/v1/status', ClusterStatus);
  return nodes.find((each) => each.id === nodeId);
}

/** An agent that was just restarted must not be taken for well because its predecessor was. */
function nodeProblem(node: NodeSummary | undefined, formerIncarnation: number): string | undefined {
  if (!node || node.incarnation <= formerIncarnation) return 'the coordinator has not heard of it yet';
  return node.state === 'ready' ? undefined : `its node is ${node.state}: ${node.message}`;
}

async function bringUpPrometheus(
  layout: BringUpOptions['layout'],
  prometheus: NonNullable<BringUpOptions['prometheus']>,
  parts: BringUpParts,
): Promise<void> {
  const coordinatorUrl = `http://${layout.address}:${COORDINATOR_PORT}`;
  const build = writePrometheusConfig(layout.stateDir, { coordinatorUrl, alertmanagerUrl: layout.alertmanagerUrl });
  await applyUnit(prometheusUnit({ ...prometheus, stateDir: layout.stateDir, build }), parts);
  await waitUntil(parts.clock, {
    what: `Prometheus at ${prometheus.listen}`,
    timeoutMs: PROMETHEUS_TIMEOUT_MS,
    logHint: parts.units.logHint('prometheus'),
    problem: async () => {
      const response = await fetch(`${localUrl(prometheus.listen)}/-/ready`);
      return response.ok ? undefined : `it answers ${response.status}`;
    },
  });
}

/** Where what listens on `host:port` is asked from this host. */
export function localUrl(listen: string): string {
  return `http://${listen.replace(/^(?:0\.0\.0\.0)?:/, '127.0.0.1:')}`;
}

export async function applyUnit(unit: Unit, parts: Pick<BringUpParts, 'units' | 'note'>): Promise<UnitChange> {
  const change = await parts.units.apply(unit);
  parts.note(`${unit.name} ${change === 'unchanged' ? 'runs' : change}`);
  return change;
}
