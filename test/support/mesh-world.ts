/** Hosts and a client on one switch as Linux namespaces, with each host's real published ports and tunnel. */
import { createIngressPorts, type IngressPorts } from '../../agent/network/ingress.ts';
import type { IngressEndpoint, MeshPeer, MeshView } from '../../agent/network/ingress-table.ts';
import { OverlayHost } from '../../agent/network/overlay/overlay-host.ts';
import { tunnelMac } from '../../agent/network/overlay/overlay-names.ts';
import { planOverlay } from '../../agent/network/overlay/plan-overlay.ts';
import { systemClock } from '../../runtime/clock.ts';
import { derivedId } from '../../runtime/identifiers.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { procFilesIn, runnerIn, shell } from './network-namespace.ts';

export type MeshHost = 'a' | 'b' | 'c';
const hostNames: readonly MeshHost[] = ['a', 'b', 'c'];

export type Treatment = Pick<IngressEndpoint, 'affinity' | 'masquerade'>;

interface Task extends Treatment {
  readonly name: string;
  readonly host: MeshHost;
  readonly address: string;
  ready: boolean;
}

/** What Docker does to forwarded packets, in short. */
const dockerLikeFirewall = `
  iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN; iptables -A FORWARD -j DOCKER-USER
  iptables -A FORWARD -i br0 ! -o br0 -j ACCEPT
  iptables -A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  iptables -t nat -A POSTROUTING -s 172.30.0.0/24 ! -o br0 -j MASQUERADE`;

/** Published: TCP 80 and UDP 53, of containers that listen on 8080 and 8053. */
const published = [
  { protocol: 'tcp', port: 80, targetPort: 8080 },
  { protocol: 'udp', port: 53, targetPort: 8053 },
] as const;

export class MeshWorld {
  private readonly prefix: string;
  private readonly ports = new Map<MeshHost, IngressPorts>();
  private readonly overlays = new Map<MeshHost, OverlayHost>();
  readonly tasks: Task[] = [];

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  namespace(name: string): string {
    return `${this.prefix}-${name}`;
  }

  address(name: MeshHost | 'client'): string {
    return `10.89.0.${name === 'client' ? 100 : hostNames.indexOf(name) + 1}`;
  }

  async build(): Promise<void> {
    const hub = this.namespace('hub');
    await shell(`ip netns add ${hub}; ip -n ${hub} link add br0 type bridge; ip -n ${hub} link set br0 up`);
    await this.plug('client');
    for (const host of hostNames) {
      await this.plug(host);
      const name = this.namespace(host);
      await shell(`
        ip -n ${name} link add br0 type bridge; ip -n ${name} addr add 172.30.0.1/24 dev br0; ip -n ${name} link set br0 up
        nsenter --net=/run/netns/${name} sh -ec '${dockerLikeFirewall}; echo 1 > /proc/sys/net/ipv4/ip_forward'`);
      this.begin(host);
    }
  }

  /** As an agent that starts: it remembers nothing of what is loaded. */
  begin(host: MeshHost): void {
    const name = this.namespace(host);
    const parts = {
      run: runnerIn(name),
      files: procFilesIn(name),
      clock: systemClock,
      log: createLog('test', 'silent'),
      metrics: createMetrics('test', '0'),
    };
    const networks = {
      listOwn: async () => [],
      create: async () => undefined,
      remove: async () => undefined,
      connect: async () => undefined,
    };
    this.ports.set(host, createIngressPorts(parts));
    this.overlays.set(host, new OverlayHost({ ...parts, clusterId: 'c', networks }));
  }

  /** A container on a host's bridge. Every host numbers its own in the same way, as Docker does. */
  async addTask(host: MeshHost, name: string, treatment: Partial<Treatment> = {}): Promise<void> {
    const index = this.tasks.filter((task) => task.host === host).length + 2;
    const address = `172.30.0.${index}`;
    const [inHost, container] = [this.namespace(host), this.namespace(name)];
    this.tasks.push({ affinity: 'none', masquerade: false, ...treatment, name, host, address, ready: true });
    await shell(`
      ip netns add ${container}; ip -n ${container} link set lo up
      ip -n ${inHost} link add v${index} type veth peer name eth0 netns ${container}
      ip -n ${inHost} link set v${index} master br0 up
      ip -n ${container} addr add ${address}/24 dev eth0; ip -n ${container} link set eth0 up
      ip -n ${container} route add default via 172.30.0.1`);
  }

  /** Brings every host to what it should be. */
  async apply(): Promise<void> {
    for (const host of hostNames) {
      const view = this.view(host);
      const nothing = { nets: [], endpoints: [], tasks: [] };
      await this.overlays.get(host)?.apply(planOverlay({ nodeId: view.nodeId, ...nothing, mesh: view }));
      await this.ingress(host).applyMesh(view);
      await this.ingress(host).apply(this.endpointsOn(host));
    }
  }

  ingress(host: MeshHost): IngressPorts {
    const ports = this.ports.get(host);
    if (!ports) throw new Error(`There is no host ${host}`);
    return ports;
  }

  async clear(): Promise<void> {
    for (const host of hostNames) {
      await this.ingress(host).remove();
      await this.overlays.get(host)?.clear();
    }
  }

  async destroy(): Promise<void> {
    const names = ['hub', 'client', ...hostNames, ...this.tasks.map(({ name }) => name)];
    await shell(names.map((name) => `ip netns del ${this.namespace(name)} 2>/dev/null || true`).join('\n'));
  }

  private async plug(name: MeshHost | 'client'): Promise<void> {
    const [place, hub] = [this.namespace(name), this.namespace('hub')];
    await shell(`
      ip netns add ${place}; ip -n ${place} link set lo up
      ip -n ${hub} link add to-${name} type veth peer name up0 netns ${place}
      ip -n ${hub} link set to-${name} master br0 up
      ip -n ${place} addr add ${this.address(name)}/24 dev up0; ip -n ${place} link set up0 up`);
  }

  private view(host: MeshHost): MeshView {
    const others = hostNames.filter((other) => other !== host);
    return { nodeId: nodeId(host), address: this.address(host), peers: others.map((other) => this.peer(host, other)) };
  }

  /** Each host has numbers of its own for the others. */
  private peer(from: MeshHost, to: MeshHost): MeshPeer {
    const ready = this.tasks.filter((task) => task.host === to && task.ready);
    const [first] = ready;
    const ports = first
      ? published.map(({ protocol, port }) => ({ ...treatmentOf(first), protocol, port, tasks: ready.length }))
      : [];
    const number = 10 + hostNames.indexOf(to) + 3 * hostNames.indexOf(from);
    return { nodeId: nodeId(to), number, address: this.address(to), mac: tunnelMac(nodeId(to)), ports };
  }

  private endpointsOn(host: MeshHost): IngressEndpoint[] {
    const ready = this.tasks.filter((task) => task.host === host && task.ready);
    return ready.flatMap((task) =>
      published.map(({ protocol, port, targetPort }) => ({
        ...treatmentOf(task),
        taskId: task.name,
        protocol,
        publishedPort: port,
        address: task.address,
        targetPort,
      })),
    );
  }
}

function nodeId(host: MeshHost): string {
  return derivedId('node', host);
}

function treatmentOf({ affinity, masquerade }: Treatment): Treatment {
  return { affinity, masquerade };
}
