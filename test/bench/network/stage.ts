/** Where ways are measured: tasks on the lab's hosts with servers in their networks, and a client outside the cluster. */
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../../runtime/version.ts';
import { Cluster, linesOf } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import type { Lab } from '../../support/lab.ts';
import { shell } from '../../support/network-namespace.ts';
import { Spot, type StartedProgram } from './spot.ts';

export const HTTP_PORT = 8_080;
export const IPERF_PORT = 5_201;
export const NETWORK = 'bench-network';
const SERVER = join(packageRoot(), 'dist', 'test', 'bench', 'network', 'plain-server.js');

const UP_MS = 60_000;

const Inspected = z.tuple([
  z.object({
    State: z.object({ Pid: z.int().min(1) }),
    NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string() })) }),
  }),
]);

export class Stage {
  readonly cluster: Cluster;
  private readonly programs: StartedProgram[] = [];
  private readonly clientNamespace: string;

  constructor(lab: Lab) {
    this.cluster = new Cluster(lab);
    this.clientNamespace = `${lab.name}-client`;
  }

  async makeNetwork(): Promise<void> {
    await this.cluster.docker('network', 'create', '--driver', 'overlay', NETWORK);
  }

  /** A service of one task that does nothing itself, on one host; answers the place its task is. */
  async task(name: string, host: string, ...options: readonly string[]): Promise<Spot> {
    const place = ['--constraint', `node.hostname==${host}`, '--no-healthcheck'];
    await this.cluster.create(name, ...place, ...options, 'plimsoll/sleep:1');
    const isUp = async () => ((await this.cluster.running(name)).length === 1 ? this.containerId(name, host) : '');
    return this.container(host, await eventually(isUp, { timeoutMs: UP_MS, intervalMs: 100, what: `${name} to run` }));
  }

  /** The address of a service on the network. */
  async virtualAddress(service: string): Promise<string> {
    const network = await this.cluster.docker('network', 'inspect', NETWORK, '--format', '{{.ID}}');
    const format = '{{range .Endpoint.VirtualIPs}}{{.NetworkID}} {{.Addr}}\n{{end}}';
    const listed = linesOf(await this.cluster.docker('service', 'inspect', service, '--format', format));
    const [, address = ''] = listed.map((line) => line.split(' ')).find(([id]) => id === network.trim()) ?? [];
    return address.replace(/\/.*/, '');
  }

  host(name: string): Spot {
    return new Spot(`/run/netns/${this.cluster.lab.name}-${name}`, this.cluster.host(name).address);
  }

  /** Lets a place answer over HTTP and to iperf3. */
  async serve(spot: Spot): Promise<void> {
    this.programs.push(await spot.start(process.execPath, SERVER, String(HTTP_PORT)));
    this.programs.push(await spot.start('iperf3', '--server', '--port', String(IPERF_PORT), '--forceflush'));
  }

  /** Somebody on the hosts' own network who is no node. */
  async outsideClient(): Promise<Spot> {
    const { name, hosts } = this.cluster.lab;
    const address = `${hosts[0]?.address.replace(/\d+$/, '')}200`;
    await shell(`
      ip netns add ${this.clientNamespace}; ip -n ${this.clientNamespace} link set lo up
      ip link add v${name}-cl type veth peer name eth0 netns ${this.clientNamespace}
      ip link set v${name}-cl master br-${name} up
      ip -n ${this.clientNamespace} addr add ${address}/24 dev eth0; ip -n ${this.clientNamespace} link set eth0 up`);
    return new Spot(`/run/netns/${this.clientNamespace}`, address);
  }

  /** Ends what was started and removes the services. The lab itself stays, and its network. */
  async clear(): Promise<void> {
    for (const program of this.programs.splice(0)) program.kill('SIGKILL');
    await shell(`ip netns del ${this.clientNamespace} 2>/dev/null || true`);
  }

  /** Empty while there is none. */
  private containerId(service: string, host: string): Promise<string> {
    const filters = ['status=running', `label=com.docker.swarm.service.name=${service}`];
    return this.cluster.engine(host, 'ps', '--quiet', ...filters.flatMap((filter) => ['--filter', filter]));
  }

  private async container(host: string, id: string): Promise<Spot> {
    const [{ State, NetworkSettings }] = Inspected.parse(JSON.parse(await this.cluster.engine(host, 'inspect', id)));
    const addresses = Object.values(NetworkSettings.Networks).map(({ IPAddress }) => IPAddress);
    return new Spot(`/proc/${State.Pid}/ns/net`, addresses.find((address) => address !== '') ?? '');
  }
}
