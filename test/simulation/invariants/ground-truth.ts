/** What is really there, whatever any process believes: containers that run, records that are stored. */
import type { ObservedContainer } from '../../../agent/plan/observed-container.ts';
import type { BucketName } from '../../../bus/bucket-definitions.ts';
import type { RolloutRecord } from '../../../model/rollout-record.ts';
import { desiredReplicas, isGlobal } from '../../../model/service-defaults.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { SlotRecord } from '../../../model/slot-record.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import { groupBy } from '../../../runtime/group-by.ts';
import { isSound } from '../world/images.ts';
import type { World } from '../world/world.ts';

export interface RunningContainer extends ObservedContainer {
  readonly host: string;
  /** What a service has one task for: a slot by its number, of a global service a node by its id. */
  readonly place: string;
}

/** As of so many changes of the engines. */
interface Running {
  readonly changes: number;
  readonly containers: readonly RunningContainer[];
  readonly byService: ReadonlyMap<string, readonly RunningContainer[]>;
}

export class GroundTruth {
  private readonly world: World;
  /** Records by their text: most stay as they are. */
  private readonly parsed = new Map<string, unknown>();
  private readonly lastRecords = new Map<string, { readonly changes: number; readonly records: readonly unknown[] }>();
  private lastRunning: Running | undefined;

  constructor(world: World) {
    this.world = world;
  }

  running(): readonly RunningContainer[] {
    return this.nowRunning().containers;
  }

  runningOf(serviceId: string): readonly RunningContainer[] {
    return this.nowRunning().byService.get(serviceId) ?? [];
  }

  /** Other containers that run for the same place. */
  besides(host: string, { id, serviceId, slot }: ObservedContainer): RunningContainer[] {
    const isOther = (one: RunningContainer) => one.id !== id || one.host !== host;
    const place = this.placeOn(host, slot);
    return this.runningOf(serviceId).filter((one) => one.place === place && isOther(one));
  }

  placeOn(host: string, slot: number): string {
    return placeOf({ nodeId: this.world.host(host).nodeId, slot });
  }

  /** How many containers it wants; of a job how many have to complete. */
  replicasOf({ spec }: ServiceRecord): number {
    return isGlobal(spec) ? this.world.hosts.length : desiredReplicas(spec);
  }

  services(): readonly ServiceRecord[] {
    return this.records('plim_spec', 'service.*') as readonly ServiceRecord[];
  }

  service(id: string): ServiceRecord | undefined {
    return this.records('plim_spec', `service.${id}`)[0] as ServiceRecord | undefined;
  }

  rollout(serviceId: string): RolloutRecord | undefined {
    return this.records('plim_rollout', serviceId)[0] as RolloutRecord | undefined;
  }

  slots(): readonly SlotRecord[] {
    return this.records('plim_slot', '>') as readonly SlotRecord[];
  }

  tasks(): readonly TaskRecord[] {
    return this.records('plim_task', '>') as readonly TaskRecord[];
  }

  private nowRunning(): Running {
    let changes = 0;
    for (const { engine } of this.world.hosts) changes += engine.changes;
    if (this.lastRunning?.changes !== changes) {
      const containers = this.listRunning();
      this.lastRunning = { changes, containers, byService: groupBy(containers, ({ serviceId }) => serviceId) };
    }
    return this.lastRunning;
  }

  private listRunning(): RunningContainer[] {
    return this.world.hosts.flatMap(({ name, nodeId, engine }) =>
      engine.running.map((one) => ({ ...one, host: name, place: placeOf({ nodeId, slot: one.slot }) })),
    );
  }

  /** What is stored under a pattern, read anew when the bucket has changed. */
  private records(bucket: BucketName, pattern: string): readonly unknown[] {
    const store = this.world.network.server.store(bucket);
    const name = `${bucket} ${pattern}`;
    const known = this.lastRecords.get(name);
    if (known?.changes === store.changes) return known.records;
    const stored = store.content(pattern).filter(({ deleted }) => !deleted);
    const records = stored.map(({ data }) => this.parse(data));
    this.lastRecords.set(name, { changes: store.changes, records });
    return records;
  }

  private parse(text: string): unknown {
    const known = this.parsed.get(text);
    if (known !== undefined) return known;
    const parsed: unknown = JSON.parse(text);
    this.parsed.set(text, parsed);
    return parsed;
  }
}

/** Whether it answers those who use it, as far as its engine knows. */
export function isReady({ health }: ObservedContainer): boolean {
  return health === 'none' || health === 'healthy';
}

/** The place of a task, see RunningContainer. */
export function placeOf({ nodeId, slot }: Pick<TaskRecord, 'nodeId' | 'slot'>): string {
  return slot === 0 ? nodeId : String(slot);
}

export function isSoundService({ spec }: ServiceRecord): boolean {
  return isSound(spec.TaskTemplate.ContainerSpec.Image);
}

/** "s1.2 on h3 (revision 2)". */
export function described({ name, revision }: ObservedContainer, host: string): string {
  return `${name.slice(0, name.lastIndexOf('.'))} on ${host} (revision ${revision})`;
}
