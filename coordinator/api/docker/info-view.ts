/** `/info`: the cluster seen as one engine. */
import type { Snapshot } from '../../store/snapshot.ts';
import type { DockerApiParts } from './api-parts.ts';
import { goArchitecture } from './architecture.ts';
import { clusterView } from './swarm-view.ts';

type InfoParts = Pick<
  DockerApiParts,
  'snapshot' | 'nodeId' | 'version' | 'clusterId' | 'advertiseAddress' | 'joinAddress' | 'caPem'
>;

export function infoView(parts: InfoParts): object {
  const snapshot = parts.snapshot();
  const nodes = [...snapshot.nodes.values()].map((entry) => entry.value);
  const sum = (of: (node: (typeof nodes)[number]) => number) => nodes.reduce((total, node) => total + of(node), 0);
  return {
    ID: parts.clusterId,
    Name: snapshot.nodes.get(parts.nodeId() ?? '')?.value.hostname ?? 'plimsoll',
    ServerVersion: parts.version,
    OperatingSystem: `Plimsoll cluster of ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`,
    OSType: 'linux',
    Architecture: goArchitecture(),
    NCPU: Math.floor(sum((node) => node.resources.nanoCpus) / 1e9),
    MemTotal: sum((node) => node.resources.memoryBytes),
    ...containerCounts(snapshot),
    Driver: 'cluster',
    Plugins: { Volume: ['local'], Network: [], Authorization: null, Log: [] },
    Swarm: swarmInfo(parts, snapshot),
  };
}

function containerCounts(snapshot: Snapshot): object {
  const states = [...snapshot.statuses.values()].map((entry) => entry.value.state);
  const running = states.filter((state) => state === 'running').length;
  return {
    Containers: states.length,
    ContainersRunning: running,
    ContainersStopped: states.length - running,
    ContainersPaused: 0,
  };
}

function swarmInfo(parts: InfoParts, snapshot: Snapshot): object {
  const managers = [...snapshot.nodes.values()].map((entry) => entry.value).filter((node) => node.manager);
  return {
    NodeID: parts.nodeId() ?? '',
    NodeAddr: parts.advertiseAddress,
    LocalNodeState: 'active',
    ControlAvailable: true,
    Error: '',
    RemoteManagers: managers.map(({ id }) => ({ NodeID: id, Addr: parts.joinAddress })),
    Nodes: snapshot.nodeSpecs.size,
    Managers: managers.length,
    Cluster: clusterView(snapshot, parts),
  };
}
