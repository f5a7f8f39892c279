/** Is everything as it should be? Asked of every coordinator and of every engine. */
import { z } from 'zod';
import type { Lab } from './lab.ts';
import { LabEngines, SocketApi } from './lab-engines.ts';

const coordinatorHosts = ['h1', 'h2'] as const;

const Nodes = z.array(
  z.object({
    Description: z.object({ Hostname: z.string() }),
    Status: z.object({ State: z.string(), Message: z.string().optional() }),
    ManagerStatus: z.object({ Leader: z.boolean().optional(), Reachability: z.string() }).nullish(),
  }),
);
const Services = z.array(
  z.object({
    Spec: z.object({ Name: z.string() }),
    ServiceStatus: z.object({ RunningTasks: z.int(), DesiredTasks: z.int() }),
    UpdateStatus: z.object({ State: z.string() }).optional(),
  }),
);

export class LabWatch {
  readonly engines: LabEngines;
  private readonly coordinators: ReadonlyMap<string, SocketApi>;

  constructor(lab: Lab) {
    this.engines = new LabEngines(lab);
    const socketOf = (host: string) => lab.clusterSocket.replace('/h1/', `/${host}/`);
    this.coordinators = new Map(coordinatorHosts.map((host) => [host, new SocketApi(socketOf(host))]));
  }

  /** What is not as it should be, given how many replicas each service should have; never throws. */
  async complaints(wanted: Readonly<Record<string, number>>): Promise<string[]> {
    const asked = [...this.coordinators].map(([host, api]) => coordinatorComplaints(host, api, wanted));
    const found = await Promise.allSettled([...asked, this.engineComplaints(wanted)]);
    return found.flatMap((result) => (result.status === 'fulfilled' ? result.value : [String(result.reason)]));
  }

  /** What is wrong with nodes and coordinators. */
  async nodeComplaints(): Promise<string[]> {
    const asked = [...this.coordinators.values()].map(async (api) => nodeComplaints(await api.get('/nodes', Nodes)));
    const found = await Promise.allSettled([...asked, this.engines.containers().then(() => [])]);
    return found.flatMap((result) => (result.status === 'fulfilled' ? result.value : [String(result.reason)]));
  }

  /** The host of the coordinator that leads, if both agree on it. */
  async leaderHost(): Promise<string | undefined> {
    const shown = await Promise.all([...this.coordinators.values()].map((api) => api.get('/nodes', Nodes)));
    const leaders = shown.map((nodes) => nodes.find((node) => node.ManagerStatus?.Leader)?.Description.Hostname);
    return leaders.every((leader) => leader === leaders[0]) ? leaders[0] : undefined;
  }

  async close(): Promise<void> {
    await this.engines.close();
    await Promise.all([...this.coordinators.values()].map((api) => api.close()));
  }

  private async engineComplaints(wanted: Readonly<Record<string, number>>): Promise<string[]> {
    const running = (await this.engines.containers()).filter((container) => container.running);
    const services = new Set([...Object.keys(wanted), ...running.map(({ service }) => service)]);
    return [...services].flatMap((service) => {
      const own = running.filter((container) => container.service === service);
      const slots = new Set(own.map(({ slot }) => slot)).size;
      const count = wanted[service] ?? 0;
      const revisions = new Set(own.map(({ revision }) => revision)).size;
      if (own.length === count && slots === count && revisions <= 1) return [];
      return [
        `${service} has ${own.length} containers in ${slots} slots at ${revisions} revisions, wanted are ${count}`,
      ];
    });
  }
}

async function coordinatorComplaints(
  host: string,
  api: SocketApi,
  wanted: Readonly<Record<string, number>>,
): Promise<string[]> {
  const [nodes, services] = await Promise.all([api.get('/nodes', Nodes), api.get('/services?status=true', Services)]);
  const complaints = [...nodeComplaints(nodes), ...serviceComplaints(services, wanted)];
  return complaints.map((complaint) => `by the coordinator on ${host}, ${complaint}`);
}

function nodeComplaints(nodes: z.infer<typeof Nodes>): string[] {
  const away = nodes.filter(({ Status }) => Status.State !== 'ready');
  const managers = nodes.flatMap(({ ManagerStatus }) => ManagerStatus ?? []);
  const leaders = managers.filter(({ Leader }) => Leader).length;
  const reachable = managers.filter(({ Reachability }) => Reachability === 'reachable').length;
  return [
    ...away.map(({ Description, Status }) => `${Description.Hostname} is ${Status.State}: ${Status.Message ?? ''}`),
    ...(leaders === 1 ? [] : [`${leaders} coordinators lead`]),
    ...(reachable === coordinatorHosts.length ? [] : [`${reachable} coordinators are reachable`]),
  ];
}

function serviceComplaints(services: z.infer<typeof Services>, wanted: Readonly<Record<string, number>>): string[] {
  const names = new Set([...Object.keys(wanted), ...services.map(({ Spec }) => Spec.Name)]);
  return [...names].flatMap((name) => {
    const service = services.find(({ Spec }) => Spec.Name === name);
    const { RunningTasks = 0, DesiredTasks = 0 } = service?.ServiceStatus ?? {};
    const count = wanted[name] ?? 0;
    const update = service?.UpdateStatus?.State ?? 'completed';
    if (RunningTasks === count && DesiredTasks === count && update === 'completed') return [];
    return [`${name} runs ${RunningTasks} of ${DesiredTasks}, update ${update}, wanted are ${count}`];
  });
}
