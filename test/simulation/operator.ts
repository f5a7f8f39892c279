/** The people who use a simulated cluster: they ask any coordinator that answers, and remember what it acknowledged. */
import type { Entry } from '../../bus/bus.ts';
import type { CoordinatorCore } from '../../coordinator/core.ts';
import { AFFINITY_LABEL, ANTI_AFFINITY_LABEL } from '../../coordinator/plan/affinity.ts';
import { VOLUME_MOVE_LABEL } from '../../coordinator/plan/sticky-volumes.ts';
import { durationText } from '../../model/duration.ts';
import { FAILOVER_AFTER_LABEL, ON_DISCONNECT_LABEL } from '../../model/service-policy.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { ContainerSpec, ServiceSpec } from '../../model/service-spec.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { HappeningOf } from './happenings.ts';
import { containerSpecOf, imageOf } from './world/images.ts';
import type { Random } from './world/random.ts';
import type { World } from './world/world.ts';

type Availability = 'active' | 'drain';

const SECOND_NS = 1_000_000_000;
/** Nothing that was asked for takes longer to happen. */
const LATE_MS = 60_000;

/** What a user believes of a service. */
export interface WishedService {
  readonly name: string;
  id: string | undefined;
  /** As last acknowledged. */
  spec: ServiceSpec | undefined;
  removed: boolean;
  /** The revision of the record that the last acknowledged wish changed. */
  basis: number;
  /** How many wishes nobody answered: they may have happened, or happen yet. */
  open: number;
  /** Every count of replicas ever asked for. */
  readonly counts: { readonly atMs: number; readonly replicas: number }[];
  removalAsked: boolean;
}

interface Answer {
  readonly basis: number;
  readonly so: Partial<Pick<WishedService, 'id' | 'spec' | 'removed'>>;
}

/** The fewest replicas asked for since then. */
export function fewestSince({ counts }: WishedService, sinceMs: number): number {
  return Math.min(...counts.filter(({ atMs }) => atMs >= sinceMs).map(({ replicas }) => replicas));
}

export class Operator {
  readonly services = new Map<number, WishedService>();
  private readonly availabilities = new Map<string, Availability>();
  private readonly world: World;
  private readonly random: Random;

  constructor(world: World) {
    this.world = world;
    this.random = world.random.fork();
  }

  /** What was wished of the service with this id. */
  wishedOf(id: string): WishedService | undefined {
    return [...this.services.values()].find((wished) => wished.id === id);
  }

  create(happening: HappeningOf<'create'>): void {
    const { service, image, global } = happening;
    const replicas = global ? this.world.hosts.length : happening.replicas;
    const core = this.someCore();
    if (!core || this.services.has(service)) return;
    const name = nameOf(service);
    const spec: ServiceSpec = {
      Name: name,
      Labels: labelsOf(happening),
      TaskTemplate: { ContainerSpec: { ...containerSpecOf(imageOf(image, 0)), ...mountsOf(happening) } },
      ...workOf(happening, replicas),
    };
    const wished: WishedService = {
      name,
      id: undefined,
      spec: undefined,
      removed: false,
      basis: 0,
      open: 0,
      counts: [{ atMs: this.world.time.nowMs, replicas }],
      removalAsked: false,
    };
    this.services.set(service, wished);
    this.ask(wished, 'create', async () => {
      const { id } = await core.wishes.services.create(spec);
      return { basis: 0, so: { id, spec } };
    });
  }

  update({ service, image, version }: HappeningOf<'update'>): void {
    this.change(service, 'update', (spec) => {
      const { Mounts } = spec.TaskTemplate.ContainerSpec;
      const ContainerSpec = { ...containerSpecOf(imageOf(image, version)), ...(Mounts ? { Mounts } : {}) };
      return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ContainerSpec } };
    });
  }

  scale({ service, replicas }: HappeningOf<'scale'>): void {
    const wished = this.services.get(service);
    if (wished?.spec && !wished.spec.Mode?.Replicated) return;
    wished?.counts.push({ atMs: this.world.time.nowMs, replicas });
    this.change(service, 'scale', (spec) => ({ ...spec, Mode: { Replicated: { Replicas: replicas } } }));
  }

  rollBack({ service }: HappeningOf<'roll-back'>): void {
    this.withService(service, (wished, id, core) =>
      this.ask(wished, 'roll back', async () => {
        const { value, revision } = serviceOf(core, id);
        await core.wishes.services.rollback(id, revision);
        return { basis: revision, so: value.previousSpec ? { spec: value.previousSpec } : {} };
      }),
    );
  }

  remove({ service }: HappeningOf<'remove'>): void {
    this.withService(service, (wished, id, core) => {
      wished.removalAsked = true;
      this.ask(wished, 'remove', async () => {
        await core.wishes.services.remove(id);
        return { basis: Number.POSITIVE_INFINITY, so: { removed: true } };
      });
    });
  }

  /** Keeps asking until it is so, or until something else is wanted: an operator wants his nodes back. */
  setAvailability(nodeId: string, availability: Availability): void {
    this.availabilities.set(nodeId, availability);
    this.askFor(nodeId, availability);
  }

  private askFor(nodeId: string, availability: Availability): void {
    if (this.availabilities.get(nodeId) !== availability) return;
    const again = () => this.world.time.after(1_000, () => this.askFor(nodeId, availability));
    // What was asked for before may happen after this: by a process that hung, on a connection that was slow.
    const lookAgain = () => this.availabilityOf(nodeId) !== availability && this.askFor(nodeId, availability);
    const core = this.someCore();
    const { nodeSpecs, nodes } = core?.store.snapshot() ?? {};
    const entry = nodeSpecs?.get(nodeId);
    if (!core || !entry) return void again();
    // A coordinator that is cut off shows what was, not what is.
    if (!core.store.isCurrent) return void again();
    if (entry.value.availability === availability) return void this.world.time.after(LATE_MS, () => lookAgain());
    const role = nodes?.get(nodeId)?.value.manager ? 'manager' : entry.value.role;
    core.wishes.nodes
      .update(nodeId, { labels: entry.value.labels, role, availability }, entry.revision)
      .catch((error: unknown) => {
        this.world.trace.note('operator', `could not set a node to ${availability}`, {
          nodeId,
          error: messageOf(error),
        });
        again();
      });
  }

  /** As stored. */
  private availabilityOf(nodeId: string): Availability | undefined {
    const stored = this.world.network.server.store('plim_spec').read(`node.${nodeId}`);
    return stored && !stored.deleted
      ? (JSON.parse(stored.data) as { availability: Availability }).availability
      : undefined;
  }

  /** Wishes were lost with their bucket: nothing is certain any more. */
  doubt(): void {
    for (const wished of this.services.values()) wished.open += 1;
  }

  /** The insides of some coordinator that answers at the moment. */
  someCore(): CoordinatorCore | undefined {
    const answering = this.world.hosts.filter(({ core, coordinator }) => core && coordinator && !coordinator.isFrozen);
    return this.random.pick(answering)?.core;
  }

  private change(service: number, what: string, edit: (spec: ServiceSpec) => ServiceSpec): void {
    this.withService(service, (wished, id, core) =>
      this.ask(wished, what, async () => {
        const { value, revision } = serviceOf(core, id);
        const spec = edit(value.spec);
        await core.wishes.services.update(id, spec, revision);
        return { basis: revision, so: { spec } };
      }),
    );
  }

  private withService(service: number, act: (wished: WishedService, id: string, core: CoordinatorCore) => void): void {
    const wished = this.services.get(service);
    const core = this.someCore();
    if (wished?.id !== undefined && !wished.removed && core) act(wished, wished.id, core);
  }

  /** `act` answers the revision it changed, and what is so from then on. */
  private ask(wished: WishedService, what: string, act: () => Promise<Answer>): void {
    const { trace } = this.world;
    wished.open += 1;
    trace.note('operator', `asks to ${what} ${wished.name}`);
    act().then(
      ({ basis, so }) => {
        wished.open -= 1;
        if (basis >= wished.basis) Object.assign(wished, so, { basis });
        trace.note('operator', `was told that ${wished.name} is done: ${what}`);
      },
      (error: unknown) => {
        if (isRefusal(error)) wished.open -= 1;
        trace.note('operator', `was refused to ${what} ${wished.name}`, { error: messageOf(error) });
      },
    );
  }
}

function nameOf(service: number): string {
  return `s${service}`;
}

function labelsOf({ failover, volume, kin }: HappeningOf<'create'>): Record<string, string> {
  const kinLabel = kin?.how === 'near' ? AFFINITY_LABEL : ANTI_AFFINITY_LABEL;
  return {
    ...(failover
      ? { [ON_DISCONNECT_LABEL]: failover.onDisconnect, [FAILOVER_AFTER_LABEL]: durationText(failover.afterMs) }
      : {}),
    ...(volume?.mayMove ? { [VOLUME_MOVE_LABEL]: 'when-needed' } : {}),
    ...(kin ? { [kinLabel]: nameOf(kin.service) } : {}),
  };
}

function mountsOf({ service, volume }: HappeningOf<'create'>): Pick<ContainerSpec, 'Mounts'> {
  return volume ? { Mounts: [{ Type: 'volume', Source: `${nameOf(service)}-data`, Target: '/data' }] } : {};
}

/** How many tasks it has, and how they follow its updates; jobs have no updates. */
function workOf(happening: HappeningOf<'create'>, replicas: number): Pick<ServiceSpec, 'Mode' | 'UpdateConfig'> {
  const { global, job, startsFirst, parallelism, onFailure } = happening;
  if (job && global) return { Mode: { GlobalJob: {} } };
  if (job) return { Mode: { ReplicatedJob: { MaxConcurrent: job.concurrent, TotalCompletions: replicas } } };
  return {
    Mode: global ? { Global: {} } : { Replicated: { Replicas: replicas } },
    UpdateConfig: {
      Parallelism: parallelism,
      Order: startsFirst ? 'start-first' : 'stop-first',
      FailureAction: onFailure,
      Monitor: 2 * SECOND_NS,
    },
  };
}

function serviceOf(core: CoordinatorCore, id: string): Entry<ServiceRecord> {
  const entry = core.store.snapshot().services.get(id);
  if (!entry) throw new PlimsollError('not-found', `There is no service ${id}`);
  return entry;
}

/** Of an error that is no answer nobody knows what became of the wish. */
function isRefusal(error: unknown): boolean {
  return error instanceof PlimsollError && error.code !== 'timeout' && error.code !== 'unavailable';
}
