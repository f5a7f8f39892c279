/** Two hosts and their containers as Linux namespaces, with the real overlay of each host between them. */

import type { EngineNetwork, EngineNetworks } from '../../agent/engine/docker-networks.ts';
import { OverlayHost } from '../../agent/network/overlay/overlay-host.ts';
import { containerMac } from '../../agent/network/overlay/overlay-names.ts';
import type { LocalTask, TaskAddress } from '../../agent/network/overlay/overlay-view.ts';
import { bridgesOf, planOverlay } from '../../agent/network/overlay/plan-overlay.ts';
import type { NetRecord, NetworkFacts, SubnetRecord } from '../../model/network-records.ts';
import { derivedId } from '../../runtime/identifiers.ts';
import { gatewayOf } from '../../runtime/ipv4.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { procFilesIn, shell } from './network-namespace.ts';
import { WireguardHost } from './wireguard-host.ts';

export type HostName = 'a' | 'b';
const hostNames: readonly HostName[] = ['a', 'b'];
const uplink = { a: '10.88.0.1', b: '10.88.0.2' } as const;

/** What Docker does to forwarded packets, in short. */
const dockerLikeFirewall =
  'iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -A FORWARD -j DOCKER-USER';

export class OverlayWorld {
  private readonly prefix: string;
  private readonly tasks: { readonly host: HostName; task: LocalTask }[] = [];
  private readonly nets: NetRecord[] = [];
  private readonly hosts = new Map<HostName, OverlayHost>();
  private readonly wireguard = new Map<HostName, WireguardHost>();

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  nodeId(host: HostName): string {
    return derivedId('node', host);
  }

  networkId(name: string): string {
    return derivedId('network', name);
  }

  namespace(name: string): string {
    return `${this.prefix}-${name}`;
  }

  async build(): Promise<void> {
    const [a, b] = hostNames.map((host) => this.namespace(host));
    await shell(`
      for n in ${a} ${b}; do ip netns add $n; ip -n $n link set lo up; done
      ip -n ${a} link add up0 type veth peer name up0 netns ${b}
      ip -n ${a} addr add ${uplink.a}/24 dev up0; ip -n ${a} link set up0 up
      ip -n ${b} addr add ${uplink.b}/24 dev up0; ip -n ${b} link set up0 up`);
    for (const host of hostNames) {
      this.wireguard.set(host, await WireguardHost.create(this.namespace(host)));
      await this.inHost(host, `echo 1 > /proc/sys/net/ipv4/ip_forward; ${dockerLikeFirewall}`);
      this.hosts.set(host, this.newHost(host));
    }
  }

  async destroy(): Promise<void> {
    for (const host of this.wireguard.values()) await host.destroy();
    const names = [...hostNames, ...this.tasks.map(({ task }) => task.serviceName)].map((name) => this.namespace(name));
    await shell(names.map((name) => `ip netns del ${name} 2>/dev/null || true`).join('\n'));
  }

  addNetwork(name: string, internal: boolean, subnets: Readonly<Partial<Record<HostName, string>>>): void {
    this.addRanges({ id: this.networkId(name), name, internal }, subnets);
  }

  addEncryptedNetwork(name: string, subnets: Readonly<Partial<Record<HostName, string>>>): void {
    this.addRanges({ id: this.networkId(name), name, internal: false, encrypted: true }, subnets);
  }

  private addRanges(network: NetworkFacts, subnets: Readonly<Partial<Record<HostName, string>>>): void {
    for (const [host, subnet] of Object.entries(subnets) as [HostName, string][]) {
      const wireguardKey = network.encrypted ? this.wireguardOf(host).keys.publicKey : undefined;
      const place = { nodeId: this.nodeId(host), nodeAddress: uplink[host], ...(wireguardKey && { wireguardKey }) };
      this.nets.push({ v: 1, epoch: 1, kind: 'subnet', network, ...place, subnets: [subnet] });
    }
  }

  addVip(network: string, serviceName: string, address: string): void {
    const serviceId = derivedId('service', serviceName);
    const names = { serviceName, aliases: [] };
    this.nets.push({ v: 1, epoch: 1, kind: 'vip', networkId: this.networkId(network), serviceId, ...names, address });
  }

  /** A ready task, not yet anywhere in the kernel. */
  addTask(host: HostName, serviceName: string, addresses: Readonly<Record<string, string>>): void {
    const places = Object.entries(addresses).map(([network, address]) => ({
      networkId: this.networkId(network),
      address,
    }));
    this.tasks.push({
      host,
      task: {
        taskId: derivedId('task', serviceName),
        serviceId: derivedId('service', serviceName),
        serviceName,
        slot: 1,
        addresses: places,
        aliases: {},
        ready: true,
        nameservers: [],
      },
    });
  }

  setReady(serviceName: string, ready: boolean): void {
    for (const entry of this.tasks) {
      if (entry.task.serviceName === serviceName) entry.task = { ...entry.task, ready };
    }
  }

  /** As after a restart of the agent: nothing is remembered of what was loaded. */
  forget(host: HostName): void {
    this.hosts.set(host, this.newHost(host));
  }

  /** Brings both hosts to what they should be. */
  async apply(): Promise<void> {
    for (const host of hostNames) {
      const own = this.nets.filter((record) => record.kind === 'subnet' && record.nodeId === this.nodeId(host));
      await this.host(host).makeBridges((own as SubnetRecord[]).flatMap(bridgesOf), uplink[host]);
      await this.host(host).apply(this.plan(host));
    }
  }

  /** Starts the containers' networks: a namespace each, on the bridges of its host. */
  async plug(): Promise<void> {
    for (const { host, task } of this.tasks) await this.plugOne(host, task);
  }

  host(host: HostName): OverlayHost {
    const found = this.hosts.get(host);
    if (!found) throw new Error(`There is no host ${host}`);
    return found;
  }

  plan(host: HostName) {
    const announced = hostNames.flatMap(
      (each) =>
        planOverlay({ nodeId: this.nodeId(each), nets: this.nets, endpoints: [], tasks: this.tasksOf(each) })
          .announcements,
    );
    return planOverlay({
      nodeId: this.nodeId(host),
      nets: this.nets,
      endpoints: announced,
      tasks: this.tasksOf(host),
    });
  }

  inHost(host: HostName, script: string): Promise<string> {
    return shell(`nsenter --net=/run/netns/${this.namespace(host)} sh -ec '${script}'`);
  }

  private tasksOf(host: HostName): LocalTask[] {
    return this.tasks.filter((entry) => entry.host === host).map(({ task }) => task);
  }

  private async plugOne(host: HostName, task: LocalTask): Promise<void> {
    const container = this.namespace(task.serviceName);
    await shell(`ip netns add ${container}; ip -n ${container} link set lo up`);
    for (const [index, place] of task.addresses.entries()) {
      const bridge = this.plan(host).bridges.find(({ networkId }) => networkId === place.networkId);
      if (!bridge) throw new Error(`${host} has no bridge of ${place.networkId}`);
      await this.plugInto(host, { container, index, place, device: bridge.device, subnet: bridge.subnet });
    }
    await shell(`nsenter --net=/run/netns/${container} sh -c 'echo 2 > /proc/sys/net/ipv4/conf/all/rp_filter'`);
  }

  private async plugInto(
    host: HostName,
    plug: { container: string; index: number; place: TaskAddress; device: string; subnet: string },
  ): Promise<void> {
    const { container, index, place, device, subnet } = plug;
    const [hostSide, prefix] = [`v${derivedId('veth', place.address).slice(0, 8)}`, subnet.split('/')[1]];
    await shell(`
      ip -n ${this.namespace(host)} link add ${hostSide} type veth peer name eth${index} netns ${container}
      ip -n ${this.namespace(host)} link set ${hostSide} master ${device} up
      ip -n ${container} link set eth${index} address ${containerMac(place.address)} up
      ip -n ${container} addr add ${place.address}/${prefix} dev eth${index}`);
    if (index === 0) await shell(`ip -n ${container} route add default via ${gatewayOf(subnet)}`);
  }

  private wireguardOf(host: HostName): WireguardHost {
    const found = this.wireguard.get(host);
    if (!found) throw new Error(`There is no host ${host}`);
    return found;
  }

  private newHost(host: HostName): OverlayHost {
    const namespace = this.namespace(host);
    return new OverlayHost({
      clusterId: 'c',
      run: this.wireguardOf(host).run,
      privateKey: async () => this.wireguardOf(host).keys.privateKey,
      files: procFilesIn(namespace),
      networks: new BridgesByHand(namespace),
      log: createLog('test', 'silent'),
      metrics: createMetrics('test', '0'),
    });
  }
}

/** Makes the bridges Docker would make. */
class BridgesByHand implements EngineNetworks {
  private readonly namespace: string;
  private readonly devices = new Map<string, string>();

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  async listOwn(): Promise<string[]> {
    const listed = await shell(`ip -n ${this.namespace} -o link show type bridge | cut -d: -f2`);
    for (const device of listed.split('\n').map((line) => line.trim())) {
      const name = await shell(`ip -n ${this.namespace} link show dev ${device || 'lo'} | sed -n "s/.*alias //p"`);
      if (name.trim() !== '') this.devices.set(name.trim(), device);
    }
    return [...this.devices.keys()];
  }

  async create(_clusterId: string, { name, device, gateway, subnet }: EngineNetwork): Promise<void> {
    const prefix = subnet.split('/')[1];
    await shell(`
      ip -n ${this.namespace} link add ${device} type bridge; ip -n ${this.namespace} link set ${device} alias ${name} up
      ip -n ${this.namespace} addr add ${gateway}/${prefix} dev ${device}`);
    this.devices.set(name, device);
  }

  async remove(name: string): Promise<void> {
    await shell(`ip -n ${this.namespace} link del ${this.devices.get(name) ?? ''}`);
    this.devices.delete(name);
  }

  async connect(): Promise<void> {
    throw new Error('Containers are plugged in by hand');
  }
}
