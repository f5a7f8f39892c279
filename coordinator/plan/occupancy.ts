/** What each node carries by assignments: reservations, copies per service, host ports. Grows while a plan places tasks. */
import type { TaskRecord } from '../../model/records.ts';
import type { TaskTemplate } from '../../model/service-spec.ts';
import type { Snapshot } from '../store/snapshot.ts';

export interface NodeUse {
  nanoCpus: number;
  memoryBytes: number;
  /** Assignments that run or will. */
  tasks: number;
  readonly byService: Map<string, number>;
  /** `tcp/80` -> how many assignments bind it on the host. */
  readonly hostPorts: Map<string, number>;
}

/** The part of an assignment that takes room. */
export type Load = Pick<TaskRecord, 'serviceId' | 'nodeId' | 'template' | 'ports' | 'desired'>;

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

export class Occupancy {
  /** The node of every change so far, in order: who keeps scores of nodes reads on where it left off. */
  readonly changes: string[] = [];
  private readonly uses = new Map<string, NodeUse>();

  /** Counts every assignment whose containers may still be there, the stopping ones included. */
  static of(snapshot: Snapshot): Occupancy {
    const occupancy = new Occupancy();
    for (const { value } of snapshot.tasks.values()) {
      const gone = value.desired === 'stopped' && snapshot.statuses.get(value.id)?.value.removed === true;
      if (!gone) occupancy.add(value);
    }
    return occupancy;
  }

  use(nodeId: string): NodeUse {
    let use = this.uses.get(nodeId);
    if (!use) {
      use = { nanoCpus: 0, memoryBytes: 0, tasks: 0, byService: new Map(), hostPorts: new Map() };
      this.uses.set(nodeId, use);
    }
    return use;
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
    this.tally(load, sign);
    this.changes.push(load.nodeId);
  }

  private change(load: Load, sign: 1 | -1): void {
    const use = this.use(load.nodeId);
    const reserved = reservationsOf(load.template);
    use.nanoCpus += sign * reserved.nanoCpus;
    use.memoryBytes += sign * reserved.memoryBytes;
    for (const port of hostPortsOf(load.ports)) use.hostPorts.set(port, (use.hostPorts.get(port) ?? 0) + sign);
    this.count(load, sign);
  }

  private tally(load: Load, sign: 1 | -1): void {
    if (load.desired === 'stopped') return;
    const use = this.use(load.nodeId);
    use.tasks += sign;
    use.byService.set(load.serviceId, (use.byService.get(load.serviceId) ?? 0) + sign);
  }
}
