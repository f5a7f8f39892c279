/** Networks as the Engine API shows them. Pure. */
import type { NetworkRecord, SubnetRecord } from '../../../model/network-records.ts';
import { rangeText } from '../../../runtime/ipv4.ts';
import { nodePool } from '../../plan/network/pools.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { isoTime } from './dates.ts';
import { networkServices } from './network-services.ts';

export interface NetworkView {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: 'local' | 'swarm';
  readonly Driver: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** The engines' own networks, by name as id: what a service's `--network` may be. */
const predefined = [
  { name: 'bridge', driver: 'bridge', scopes: ['local', 'swarm'] },
  { name: 'host', driver: 'host', scopes: ['local', 'swarm'] },
  { name: 'none', driver: 'null', scopes: ['local'] },
] as const;

/** All networks, the engines' own first. */
export function networkViews(snapshot: Snapshot): NetworkView[] {
  const own = predefined.map(({ name, driver }) => engineNetwork(name, driver));
  return [...own, ...[...snapshot.networks.values()].map(({ value }) => networkView(snapshot, value))];
}

/** A network every engine has; some answer to `scope=swarm` as well. */
export function predefinedView(name: string, scope = 'local'): NetworkView | undefined {
  const found = predefined.find((network) => network.name === name && network.scopes.some((own) => own === scope));
  return found && engineNetwork(found.name, found.driver);
}

function engineNetwork(name: string, Driver: string) {
  return {
    ...commonFields,
    Name: name,
    Id: name,
    Created: isoTime(0),
    Scope: 'local' as const,
    Driver,
    IPAM: { Driver: 'default', Options: null, Config: [] },
    Internal: false,
    Containers: {},
    Options: {},
    Labels: {},
  };
}

const commonFields = {
  EnableIPv4: true,
  EnableIPv6: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
};

/** `verbose` adds the services with their tasks, as `docker network inspect --verbose` shows them. */
export function networkView(
  snapshot: Snapshot,
  network: NetworkRecord,
  options: { readonly verbose: boolean } = { verbose: false },
) {
  const subnets = subnetsOf(snapshot, network.id);
  return {
    ...commonFields,
    Attachable: network.attachable ?? false,
    Name: network.name,
    Id: network.id,
    Created: isoTime(network.createdAtMs),
    Scope: 'swarm' as const,
    Driver: 'overlay',
    IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: network.subnet ?? rangeText(nodePool) }] },
    Internal: network.internal,
    Containers: null,
    Options: network.options,
    Labels: network.labels,
    Peers: subnets.map((record) => peerView(snapshot, record)),
    Services: options.verbose ? networkServices(snapshot, network.id) : undefined,
  };
}

/** Nodes that have a part of the network. */
function subnetsOf(snapshot: Snapshot, networkId: string): SubnetRecord[] {
  return [...snapshot.nets.values()].flatMap(({ value }) =>
    value.kind === 'subnet' && value.network.id === networkId ? [value] : [],
  );
}

function peerView(snapshot: Snapshot, { nodeId, nodeAddress }: SubnetRecord): object {
  return { Name: snapshot.nodes.get(nodeId)?.value.hostname ?? nodeId, IP: nodeAddress };
}
