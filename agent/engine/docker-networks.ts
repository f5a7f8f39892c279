/** The engine's own bridge networks, as far as the overlay uses them. */
import { z } from 'zod';
import { containerLabels } from '../../model/labels.ts';
import { networkLabels } from '../../model/network-labels.ts';
import { MTU_OPTION } from '../../model/network-records.ts';
import { isConflict, PlimsollError } from '../../runtime/errors.ts';
import type { EngineCalls } from './engine-calls.ts';

const DEADLINE_MS = 30_000;
const NetworkListReply = z.array(z.object({ Name: z.string() }));

/** A bridge network with one range. */
export interface EngineNetwork {
  readonly name: string;
  /** The kernel's name of the bridge. */
  readonly device: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly mtuBytes: number;
  /** The cluster's network it is a part of. */
  readonly networkId: string;
  readonly networkName: string;
}

/** A container's place on a network, said when it is made. */
export interface EndpointRequest {
  readonly engineNetwork: string;
  readonly address: string;
  readonly mac: string;
}

export interface EngineNetworks {
  /** Names of the networks that carry the cluster's label. */
  listOwn(clusterId: string): Promise<string[]>;
  /** Fine when there is one of that name. */
  create(clusterId: string, network: EngineNetwork): Promise<void>;
  /** Fine when it is gone. Throws `refused` while containers are on it. */
  remove(name: string): Promise<void>;
  /** Puts a container that is made and not started on one more network. Fine when it is on it. */
  connect(containerId: string, endpoint: EndpointRequest): Promise<void>;
}

export class DockerNetworks implements EngineNetworks {
  private readonly calls: EngineCalls;

  constructor(calls: EngineCalls) {
    this.calls = calls;
  }

  async listOwn(clusterId: string): Promise<string[]> {
    const filters = JSON.stringify({ label: [`${containerLabels.cluster}=${clusterId}`] });
    const call = { method: 'GET', path: '/networks', query: { filters }, deadlineMs: DEADLINE_MS } as const;
    return (await this.calls.call(call, NetworkListReply)).map(({ Name }) => Name);
  }

  async create(clusterId: string, network: EngineNetwork): Promise<void> {
    const call = { method: 'POST', path: '/networks/create', body: requestOf(clusterId, network) } as const;
    try {
      await this.calls.call({ ...call, deadlineMs: DEADLINE_MS }, z.unknown());
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }

  async remove(name: string): Promise<void> {
    const path = `/networks/${name}`;
    await this.calls.call({ method: 'DELETE', path, deadlineMs: DEADLINE_MS, fineToo: [404] }, z.unknown());
  }

  async connect(containerId: string, endpoint: EndpointRequest): Promise<void> {
    const body = { Container: containerId, EndpointConfig: endpointConfig(endpoint) };
    const path = `/networks/${endpoint.engineNetwork}/connect`;
    try {
      await this.calls.call({ method: 'POST', path, body, deadlineMs: DEADLINE_MS }, z.unknown());
    } catch (error) {
      const isThere = error instanceof PlimsollError && error.message.includes('already exists in network');
      if (!isThere) throw error;
    }
  }
}

/** The engine numbers addresses itself unless it is told; newer ones would roll dice for the hardware address. */
export function endpointConfig({ address, mac }: EndpointRequest): object {
  return { IPAMConfig: { IPv4Address: address }, MacAddress: mac };
}

/**
 * Masquerading is ours, and packets come in from other hosts, which Docker 28 drops unless told not to; older engines do
 * not know that option and need none.
 */
function requestOf(clusterId: string, network: EngineNetwork): Record<string, unknown> {
  return {
    Name: network.name,
    CheckDuplicate: true,
    Driver: 'bridge',
    IPAM: { Driver: 'default', Config: [{ Subnet: network.subnet, Gateway: network.gateway }] },
    Options: {
      'com.docker.network.bridge.name': network.device,
      'com.docker.network.bridge.enable_ip_masquerade': 'false',
      'com.docker.network.bridge.gateway_mode_ipv4': 'nat-unprotected',
      [MTU_OPTION]: String(network.mtuBytes),
    },
    Labels: {
      [containerLabels.cluster]: clusterId,
      [networkLabels.id]: network.networkId,
      [networkLabels.name]: network.networkName,
    },
  };
}
