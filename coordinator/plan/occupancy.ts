/** What each node carries by assignments: reservations, copies per service, host ports. Grows while a plan places tasks. */
import { overlayAttachments } from '../../model/overlay-attachments.ts';
import type { TaskTemplate } from '../../model/service-spec.ts';
import type { StatusRecord } from '../../model/status-record.ts';
import type { TaskRecord } from '../../model/task-record.ts';

export interface NodeUse {
  readonly nodeId: string;
  nanoCpus: number;
  memoryBytes: number;
  /** Assignments that run or will. */
  tasks: number;
  readonly byService: Map<string, number>;
  /** `tcp/80` -> how many assignments bind it on the host. */
  readonly hostPorts: Map<string, number>;
  /** How many assignments have an address of each network. */
  readonly networks: Map<string, number>;
  /** How many assignments run each image. */
  readonly images: Map<string, number>;
  /** How many of each kind of generic resource are taken. */
  readonly generic: Map<string, number>;
  /** Which of a named kind are taken: `gpu/GPU-1`. */
  readonly genericNames: Map<string, number>;
}

/** The part of an assignment that takes room. */
export type Load = Pick<TaskRecord, 'serviceId' | 'nodeId' | 'template' | 'ports' | 'desired' | 'generic'>;

/** As in Swarm a job's task leaves its room to others when it has ended for good, though its assignment stays. */
export function isOverForGood({ job }: TaskRecord, status: StatusRecord | undefined): boolean {
  const hasEnded = status?.state === 'complete' || (status?.final === true && !status.revoked);
  return job === true && hasEnded;
}

/** A template's reservations with zeros filled in. */
export function reservationsOf(template: TaskTemplate): { nanoCpus: number; memoryBytes: number } {
  const reserved = template.Resources?.Reservations;
  return { nanoCpus: reserved?.NanoCPUs ?? 0, memoryBytes: reserved?.MemoryBytes ?? 0 };
}

/** `tcp/80` of every port bound on the host itself. */
export function hostPortsOf(ports: TaskRecord['ports']): string[] {
  return ports
    .filter((port) => port.PublishMode === 'host' && port.PublishedPort !== 0)
    .map((port) => `${port.Protocol}/${port.PublishedPort}`);
}

/** What every task with a template takes of its node. */
interface Taking {
  readonly nanoCpus: number;
  readonly memoryBytes: number;
  readonly networkIds: readonly string[];
  readonly image: string;
}

export class Occupancy {
  /** The node of every change so far, in order: who keeps scores of nodes reads on where it left off. */
  readonly changes: string[] = [];
  private readonly uses = new Map<string, NodeUse>();
  /** Where the tasks of each service are, and where each image is. */
  private readonly services = new Map<string, Map<string, number>>();
  private readonly images = new Map<string, Map<NodeUse, number>>();
  private readonly networks = new Map<string, Map<NodeUse, number>>();

  private readonly takings = new WeakMap<TaskTemplate, Taking>();

  /** Changes that are taken back when the plan is made. */
  private tries: { readonly load: Load; readonly sign: 1 | -1; readonly isWhole: boolean }[] | undefined;

  /** From now on every change is an intention of one plan. */
  begin(): void {
    this.tries = [];
  }

  /** Takes back what was intended since `begin()`: what is carried out of it comes back as assignments. */
  undo(): void {
    const tries = this.tries ?? [];
    this.tries = undefined;
    for (const { load, sign, isWhole } of tries.reverse()) {
      if (isWhole) this.change(load, sign === 1 ? -1 : 1);
      else {
        this.note(load, sign === 1 ? -1 : 1);
        this.changes.push(load.nodeId);
      }
    }
  }

  use(nodeId: string): NodeUse {
    let use = this.uses.get(nodeId);
    if (!use) {
      use = emptyUse(nodeId);
      this.uses.set(nodeId, use);
    }
    return use;
  }

  /** The nodes with a task of a service. */
  nodesOf(serviceId: string): Iterable<string> {
    return this.services.get(serviceId)?.keys() ?? [];
  }

  /** The nodes with a task that brought this image. */
  nodesWith(image: string): Pick<ReadonlyMap<NodeUse, number>, 'size' | 'keys'> {
    return this.images.get(image) ?? new Map();
  }

  /** The nodes with a task on a network. */
  nodesOnNetwork(networkId: string): Iterable<NodeUse> {
    return this.networks.get(networkId)?.keys() ?? [];
  }

  isAnywhere(serviceId: string): boolean {
    return (this.services.get(serviceId)?.size ?? 0) > 0;
  }

  add(load: Load): void {
    this.change(load, 1);
  }

  /** Takes an assignment out: of one that leaves before its successor starts. */
  release(load: Load): void {
    this.change(load, -1);
  }

  /** Stops or goes on counting an assignment among its node's tasks; the room it takes stays taken. */
  count(load: Load, sign: 1 | -1): void {
    this.tries?.push({ load, sign, isWhole: false });
    this.note(load, sign);
    this.changes.push(load.nodeId);
  }

  private change(load: Load, sign: 1 | -1): void {
    const use = this.use(load.nodeId);
    const { nanoCpus, memoryBytes, networkIds, image } = this.takingOf(load.template);
    use.nanoCpus += sign * nanoCpus;
    use.memoryBytes += sign * memoryBytes;
    if (load.ports.length > 0) for (const port of hostPortsOf(load.ports)) tally(use.hostPorts, port, sign);
    for (const networkId of networkIds) {
      tally(use.networks, networkId, sign);
      tally(tableIn(this.networks, networkId), use, sign);
    }
    tally(use.images, image, sign);
    tally(tableIn(this.images, image), use, sign);
    for (const { kind, count, names } of load.generic ?? []) {
      tally(use.generic, kind, sign * count);
      for (const name of names) tally(use.genericNames, `${kind}/${name}`, sign);
    }
    this.tries?.push({ load, sign, isWhole: true });
    this.note(load, sign);
    this.changes.push(load.nodeId);
  }

  /** The tasks of a service share their template: it is looked through once. */
  private takingOf(template: TaskTemplate): Taking {
    const known = this.takings.get(template);
    if (known) return known;
    const networkIds = overlayAttachments(template).map(({ Target }) => Target);
    const taking = { ...reservationsOf(template), networkIds, image: template.ContainerSpec.Image };
    this.takings.set(template, taking);
    return taking;
  }

  private note(load: Load, sign: 1 | -1): void {
    if (load.desired === 'stopped') return;
    const use = this.use(load.nodeId);
    use.tasks += sign;
    tally(use.byService, load.serviceId, sign);
    tally(tableIn(this.services, load.serviceId), load.nodeId, sign);
  }
}

function emptyUse(nodeId: string): NodeUse {
  return {
    nodeId,
    nanoCpus: 0,
    memoryBytes: 0,
    tasks: 0,
    byService: new Map(),
    hostPorts: new Map(),
    networks: new Map(),
    images: new Map(),
    generic: new Map(),
    genericNames: new Map(),
  };
}

function tableIn<K>(tables: Map<string, Map<K, number>>, key: string): Map<K, number> {
  const known = tables.get(key);
  if (known) return known;
  const table = new Map<K, number>();
  tables.set(key, table);
  return table;
}

/** What nobody has any more is not in the table. */
function tally<K>(table: Map<K, number>, key: K, by: number): void {
  const count = (table.get(key) ?? 0) + by;
  if (count === 0) table.delete(key);
  else table.set(key, count);
}
