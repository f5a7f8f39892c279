/** Creating, changing and removing services: validated, claimed, written by compare-and-set, visible when answered. */
import type { Entry } from '../../bus/bus.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { PortConfig, ServiceSpec } from '../../model/service-spec.ts';
import { isConflict, PlimsollError } from '../../runtime/errors.ts';
import { checkReferredExist } from '../payloads/reference-rules.ts';
import { orderWarnings } from '../plan/update-order.ts';
import { checkQuery, checkQueue, handScalingWarnings } from './autoscale-wish.ts';
import { Claims } from './claims.ts';
import { notFound, StaleVersionError } from './errors.ts';
import { askHeldPorts, type HeldPorts, refuseHeldPorts } from './held-ports.ts';
import { checkHostAccess } from './host-access-rules.ts';
import { ingressKeys, ingressPorts, portKey, refuseTakenPorts, settlePorts } from './ports.ts';
import { revisionsInUse, specBeforeUpdate, withRevisionOf } from './revisions.ts';
import { claimKeys, nameClaim, portClaims } from './service-claims.ts';
import { generatedName } from './service-names.ts';
import { withNetworkIds } from './service-networks.ts';
import { checkServiceSpec, checkUnchangeable, withServerDefaults } from './service-rules.ts';
import { announce } from './wish-events.ts';
import type { WishParts } from './wish-parts.ts';

/** Tries of a write that has no version of its own to compare (removal) and of finding a free dynamic port. */
const MAX_TRIES = 5;

interface PortsOf {
  readonly id: string;
  readonly spec: ServiceSpec;
  readonly before: readonly PortConfig[];
  readonly held: HeldPorts;
}

export class ServiceWishes {
  private readonly parts: WishParts;
  private readonly claims: Claims;

  constructor(parts: WishParts) {
    this.parts = parts;
    this.claims = new Claims(parts.buckets.claims, parts.log);
  }

  /**
   * Answers the new service's id. A specification without a name gets a generated one that is free. `registryAuth`: what its
   * images are pulled with, as clients send it.
   */
  async create(wanted: ServiceSpec, registryAuth?: string): Promise<{ id: string; warnings: string[] }> {
    const id = this.parts.newId();
    if (wanted.Name !== '') return this.createNamed(id, wanted, registryAuth);
    for (let tries = 1; ; tries++) {
      try {
        return await this.createNamed(id, { ...wanted, Name: generatedName(this.parts.random) }, registryAuth);
      } catch (error) {
        if (!isConflict(error) || tries >= MAX_TRIES) throw error;
      }
    }
  }

  private async createNamed(
    id: string,
    wanted: ServiceSpec,
    registryAuth: string | undefined,
  ): Promise<{ id: string; warnings: string[] }> {
    checkServiceSpec(wanted);
    checkHostAccess(wanted, this.parts.allowedHostAccess);
    checkReferredExist(wanted.TaskTemplate.ContainerSpec, this.parts.snapshot());
    const warnings = await this.askedOf(wanted);
    const spec = withNetworkIds(withServerDefaults(wanted), this.parts.snapshot().networks);
    const held = await this.portsThatServe(id, spec, []);
    const owner = { v: 1, ownerId: id, ownerName: spec.Name } as const;
    const taken = await this.claims.take([nameClaim(spec.Name)], owner);
    const nowMs = this.parts.clock.wallMs();
    await this.claims.undoneUnlessWritten(taken, id, async () => {
      const ports = await this.takePorts({ id, spec, before: [], held }, taken);
      const times = { createdAtMs: nowMs, updatedAtMs: nowMs };
      const history = withRevisionOf(spec, undefined, nowMs);
      const auth = this.sealedAuth(id, registryAuth);
      const record: ServiceRecord = { v: 1, id, spec, ...history, ports, ...times, ...auth, change: 'create' };
      await this.store(this.parts.buckets.services.create(id, record));
    });
    await announce(this.parts, 'service', id, 'create', { name: spec.Name });
    return { id, warnings: [...warnings, ...warningsOf(spec)] };
  }

  /**
   * Makes `wanted` the wish if the stored version is still `version`; throws StaleVersionError if not. Without `registryAuth`
   * the service keeps what it has.
   */
  async update(
    id: string,
    wanted: ServiceSpec,
    version: number,
    registryAuth?: string,
  ): Promise<{ warnings: string[] }> {
    const entry = await this.stored(id, version);
    checkServiceSpec(wanted);
    checkHostAccess(wanted, this.parts.allowedHostAccess);
    checkReferredExist(wanted.TaskTemplate.ContainerSpec, this.parts.snapshot());
    checkUnchangeable(entry.value.spec, wanted);
    const asked = await this.askedOf(wanted, entry.value.spec);
    const warnings = [...asked, ...handScalingWarnings(wanted, entry.value.spec)];
    const spec = withNetworkIds(withServerDefaults(wanted), this.parts.snapshot().networks);
    const held = await this.portsThatServe(id, spec, entry.value.ports);
    const value = { ...entry.value, ...this.sealedAuth(id, registryAuth) };
    await this.change({ ...entry, value }, spec, 'update', held);
    return { warnings: [...warnings, ...warningsOf(spec, entry.value.spec)] };
  }

  /** What those say who are asked of the load. */
  private async askedOf(wanted: ServiceSpec, before?: ServiceSpec): Promise<string[]> {
    const { prometheus, queues } = this.parts;
    return [...(await checkQuery(wanted, before, prometheus)), ...(await checkQueue(wanted, before, queues))];
  }

  /** Swaps the specification with the one before it; twice is back again. */
  async rollback(id: string, version: number): Promise<{ warnings: string[] }> {
    const entry = await this.stored(id, version);
    const { previousSpec } = entry.value;
    if (previousSpec === undefined) {
      throw new PlimsollError('precondition', `service ${id} does not have a previous spec`);
    }
    await this.goBack(entry, previousSpec);
    return { warnings: warningsOf(previousSpec, entry.value.spec) };
  }

  /**
   * Back to the tasks and ports of a kept revision; replicas, labels and update settings stay. Throws `not-found` for one
   * that is not kept (any more), `precondition` for the one that is current.
   */
  async rollbackTo(id: string, number: number, version?: number): Promise<{ warnings: string[] }> {
    const entry = await (version === undefined ? this.live(id) : this.stored(id, version));
    const { revision, revisions, spec } = entry.value;
    if (number === revision) throw new PlimsollError('precondition', `service ${spec.Name} is at revision ${number}`);
    const found = revisions.find((known) => known.number === number);
    if (found === undefined) {
      const kept = revisions.map((known) => known.number).join(', ');
      throw new PlimsollError('not-found', `service ${spec.Name} has no revision ${number}; kept are ${kept}`);
    }
    const { EndpointSpec: _, ...rest } = spec;
    const endpoint = found.endpointSpec === undefined ? {} : { EndpointSpec: found.endpointSpec };
    const wanted = { ...rest, TaskTemplate: found.taskTemplate, ...endpoint };
    await this.goBack(entry, wanted);
    return { warnings: warningsOf(wanted, spec) };
  }

  /** Throws, naming it, when something an earlier specification needs is gone or taken, or is not allowed any more. */
  private async goBack(entry: Entry<ServiceRecord>, earlier: ServiceSpec): Promise<void> {
    checkHostAccess(earlier, this.parts.allowedHostAccess);
    const spec = this.withAllItNeeds(earlier);
    const held = await this.portsThatServe(entry.value.id, spec, entry.value.ports);
    await this.change(entry, spec, 'rollback', held);
  }

  private withAllItNeeds(earlier: ServiceSpec): ServiceSpec {
    const snapshot = this.parts.snapshot();
    checkReferredExist(earlier.TaskTemplate.ContainerSpec, snapshot);
    return withNetworkIds(earlier, snapshot.networks);
  }

  /**
   * Takes a failed update back: to the specification before it, or, where that runs the same tasks (the service was scaled
   * meanwhile), to the tasks of the revision before it.
   */
  async undoUpdate(id: string, version: number): Promise<void> {
    const entry = await this.stored(id, version);
    const earlier = specBeforeUpdate(entry.value);
    if (earlier === undefined)
      throw new PlimsollError('precondition', `service ${id} has no earlier revision to go back to`);
    const spec = this.withAllItNeeds(earlier);
    // What ran before is better than what has failed, even where a program holds one of its ports by now.
    const held = await this.heldPorts(id, spec, entry.value.ports);
    await this.change(entry, spec, 'rollback', held);
  }

  /** Marks a service removed: it vanishes from every list at once, the leader stops its tasks and then forgets it. */
  async remove(id: string): Promise<void> {
    const entry = await this.markRemoved(id, MAX_TRIES);
    await this.claims.release(claimKeys(entry.value), id);
    await announce(this.parts, 'service', id, 'remove', { name: entry.value.spec.Name });
  }

  private sealedAuth(id: string, registryAuth: string | undefined): Pick<ServiceRecord, 'registryAuth'> {
    return registryAuth === undefined ? {} : { registryAuth: this.parts.vault.seal(id, Buffer.from(registryAuth)) };
  }

  private async markRemoved(id: string, triesLeft: number): Promise<Entry<ServiceRecord>> {
    const entry = await this.live(id);
    const removed = { ...entry.value, removedAtMs: this.parts.clock.wallMs() };
    try {
      await this.store(this.parts.buckets.services.update(id, removed, entry.revision));
      return entry;
    } catch (error) {
      if (!isConflict(error) || triesLeft <= 1) throw error;
      return this.markRemoved(id, triesLeft - 1);
    }
  }

  /** As `heldPorts`; throws `invalid` where what the programs hold keeps the specification from being served. */
  private async portsThatServe(id: string, spec: ServiceSpec, before: readonly PortConfig[]): Promise<HeldPorts> {
    const held = await this.heldPorts(id, spec, before);
    refuseHeldPorts({ wanted: spec.EndpointSpec?.Ports ?? [], before }, held, this.parts.snapshot());
    return held;
  }

  /** What programs of the nodes hold of what a specification asks for, and of the numbers it may be given. */
  private heldPorts(id: string, spec: ServiceSpec, before: readonly PortConfig[]): Promise<HeldPorts> {
    const taken = ingressKeys(this.othersThan(id));
    return askHeldPorts([{ wanted: spec.EndpointSpec?.Ports ?? [], before, taken }], this.parts);
  }

  private othersThan(id: string): ServiceRecord[] {
    return [...this.parts.snapshot().services.values()]
      .map((entry) => entry.value)
      .filter((record) => record.id !== id && record.removedAtMs === undefined);
  }

  private async change(
    entry: Entry<ServiceRecord>,
    spec: ServiceSpec,
    change: 'update' | 'rollback',
    held: HeldPorts,
  ): Promise<void> {
    const before = entry.value;
    const nowMs = this.parts.clock.wallMs();
    const history = withRevisionOf(spec, before, nowMs, revisionsInUse(before.id, this.parts.snapshot()));
    const taken: string[] = [];
    await this.claims.undoneUnlessWritten(taken, before.id, async () => {
      const ports = await this.takePorts({ id: before.id, spec, before: before.ports, held }, taken);
      const after: ServiceRecord = {
        ...before,
        ...history,
        spec,
        previousSpec: before.spec,
        ports,
        updatedAtMs: nowMs,
        change: history.revision === before.revision ? before.change : change,
      };
      await this.store(this.parts.buckets.services.update(before.id, after, entry.revision)).catch(asStale);
      const kept = claimKeys(after);
      await this.claims.release(
        claimKeys(before).filter((key) => !kept.includes(key)),
        before.id,
      );
    });
    await announce(this.parts, 'service', before.id, 'update', { name: spec.Name });
  }

  /** Settles and claims the ingress ports; new claims are added to `taken`. */
  private async takePorts({ id, spec, before, held }: PortsOf, taken: string[]): Promise<PortConfig[]> {
    const others = this.othersThan(id);
    const inUse = new Set([...ingressKeys(others), ...held.holders.keys()]);
    for (let tries = 1; ; tries++) {
      const ports = settlePorts(spec, before, inUse);
      refuseTakenPorts(ports, others);
      try {
        taken.push(...(await this.claims.take(portClaims(ports), { v: 1, ownerId: id, ownerName: spec.Name })));
        return ports;
      } catch (error) {
        const isDynamic = (port: PortConfig) =>
          !spec.EndpointSpec?.Ports?.some((asked) => portKey(asked) === portKey(port));
        const dynamic = ingressPorts(ports).filter(isDynamic);
        if (dynamic.length === 0 || tries >= MAX_TRIES) throw error;
        for (const port of dynamic) inUse.add(portKey(port));
      }
    }
  }

  private async store(write: Promise<number>): Promise<void> {
    await this.parts.barrier.reached('services', await write);
  }

  private async live(id: string): Promise<Entry<ServiceRecord>> {
    const entry = await this.parts.buckets.services.get(id);
    if (entry === undefined || entry.value.removedAtMs !== undefined) throw notFound('service', id);
    return entry;
  }

  private async stored(id: string, version: number): Promise<Entry<ServiceRecord>> {
    const entry = await this.live(id);
    if (entry.revision !== version) throw new StaleVersionError();
    return entry;
  }
}

/** A lost race for a record is what its reader knows as a stale version. */
function asStale(error: unknown): never {
  throw isConflict(error) ? new StaleVersionError() : error;
}

/** What the user should know of a specification, unless the one before it said the same. */
function warningsOf(spec: ServiceSpec, before?: ServiceSpec): string[] {
  return orderWarnings(spec).filter((warning) => !before || !orderWarnings(before).includes(warning));
}
