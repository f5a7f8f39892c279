/** What deploying a stack would change: the wishes' own rules and the leader's own planner on a cluster that is not there. Pure. */
import { z } from 'zod';
import type { Entry } from '../../bus/bus.ts';
import type { HostAccess } from '../../model/host-access.ts';
import { updateRules } from '../../model/service-defaults.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import { dropNulls, ServiceSpec } from '../../model/service-spec.ts';
import type { ServicePlan, StackPlan, StackWish } from '../../model/stack-plan.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { derivedId } from '../../runtime/identifiers.ts';
import { checkReferredExist } from '../payloads/reference-rules.ts';
import { actionsOf, type Moment } from '../plan/actions.ts';
import { plan } from '../plan/plan.ts';
import { differences } from '../spec-differences.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { type HeldPorts, noPortsHeld, type PortsWish, refuseHeldPorts } from '../wishes/held-ports.ts';
import { checkHostAccess } from '../wishes/host-access-rules.ts';
import { ingressKeys, refuseTakenPorts, settlePorts } from '../wishes/ports.ts';
import { revisionsInUse, withRevisionOf } from '../wishes/revisions.ts';
import { withNetworkIds } from '../wishes/service-networks.ts';
import { checkServiceSpec, checkUnchangeable, withServerDefaults } from '../wishes/service-rules.ts';
import { withNewObjects, withoutTasksOf, withService } from './imagined-cluster.ts';

interface Wanted {
  /** Of a service that is there. */
  readonly id: string | undefined;
  readonly wanted: ServiceSpec;
  readonly held: HeldPorts;
}

/** A service as it would be, or why it would be refused. */
type Imagined =
  | { readonly name: string; readonly record: ServiceRecord; readonly before: Entry<ServiceRecord> | undefined }
  | { readonly name: string; readonly refusal: string };

/** What a plan depends on beside the cluster's state. */
export interface Circumstances {
  /** What labels may open of hosts. */
  readonly allowed: ReadonlySet<HostAccess>;
  /** What programs of the nodes hold of the ports the stack asks for. */
  readonly held: HeldPorts;
}

/** What each service of a stack asks for, has and finds taken: what the nodes are to be asked about. */
export function portsWishesOf({ services }: Snapshot, wish: StackWish): PortsWish[] {
  const live = [...services.values()]
    .map(({ value }) => value)
    .filter(({ id, removedAtMs }) => removedAtMs === undefined && !wish.removals.includes(id));
  return wish.services.map(({ id, spec }) => ({
    wanted: ServiceSpec.safeParse(dropNulls(spec)).data?.EndpointSpec?.Ports ?? [],
    before: live.find((record) => record.id === id)?.ports ?? [],
    taken: ingressKeys(live.filter((record) => record.id !== id)),
  }));
}

export function planStack(
  snapshot: Snapshot,
  wish: StackWish,
  now: Moment,
  { allowed, held }: Circumstances = { allowed: new Set(), held: noPortsHeld },
): StackPlan {
  let cluster = withNewObjects(snapshot, wish, now.wallMs);
  const removed = wish.removals.flatMap((id) => snapshot.services.get(id)?.value ?? []);
  for (const { id } of removed) cluster = withoutTasksOf(withService(cluster, id, undefined), id);
  const imagined: Imagined[] = [];
  for (const wanted of wish.services) {
    const one = imagine(cluster, wanted, now, { allowed, held });
    imagined.push(one);
    if ('refusal' in one) continue;
    cluster = withService(cluster, one.record.id, one.record);
    if (restartsTasks(one)) cluster = withoutTasksOf(cluster, one.record.id);
  }
  const actions = actionsOf(plan(cluster, now));
  const services = imagined.map((one) => servicePlan(one, snapshot, actions));
  const names = (objects: StackWish['networks']) => objects.map(({ name }) => name);
  return {
    stack: wish.stack,
    networks: names(wish.networks),
    secrets: names(wish.secrets),
    configs: names(wish.configs),
    services: [...services, ...removed.map((record) => removal(record, snapshot))].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
  };
}

function imagine(
  cluster: Snapshot,
  { id, spec: wire }: StackWish['services'][number],
  now: Moment,
  { allowed, held }: Circumstances,
): Imagined {
  const parsed = ServiceSpec.safeParse(dropNulls(wire));
  if (!parsed.success) return { name: nameIn(wire), refusal: z.prettifyError(parsed.error) };
  const { Name: name } = parsed.data;
  try {
    checkHostAccess(parsed.data, allowed);
    return { name, ...imaginedRecord(cluster, { id, wanted: parsed.data, held }, now.wallMs) };
  } catch (error) {
    if (!(error instanceof PlimsollError)) throw error;
    return { name, refusal: messageOf(error) };
  }
}

function nameIn(wire: unknown): string {
  return z.object({ Name: z.string() }).safeParse(wire).data?.Name ?? '(without a name)';
}

/** As service-wishes would store it. */
function imaginedRecord(cluster: Snapshot, { id, wanted, held }: Wanted, nowMs: number) {
  const before = id === undefined ? undefined : cluster.services.get(id);
  checkServiceSpec(wanted);
  if (before) checkUnchangeable(before.value.spec, wanted);
  checkReferredExist(wanted.TaskTemplate.ContainerSpec, cluster);
  const spec = withNetworkIds(withServerDefaults(wanted), cluster.networks);
  const others = [...cluster.services.values()]
    .map(({ value }) => value)
    .filter((other) => other.id !== id && other.removedAtMs === undefined);
  const portsBefore = before?.value.ports ?? [];
  refuseHeldPorts({ wanted: spec.EndpointSpec?.Ports ?? [], before: portsBefore }, held, cluster);
  const ports = settlePorts(spec, portsBefore, new Set([...ingressKeys(others), ...held.holders.keys()]));
  refuseTakenPorts(ports, others);
  const history = withRevisionOf(spec, before?.value, nowMs, before && revisionsInUse(before.value.id, cluster));
  const times = { createdAtMs: before?.value.createdAtMs ?? nowMs, updatedAtMs: nowMs };
  const newId = before?.value.id ?? derivedId('imagined service', wanted.Name);
  const record: ServiceRecord = {
    v: 1,
    id: newId,
    spec,
    ...history,
    ports,
    ...times,
    change: before ? 'update' : 'create',
  };
  return { record, before };
}

function restartsTasks(one: Exclude<Imagined, { refusal: string }>): boolean {
  return one.before !== undefined && one.before.value.revision !== one.record.revision;
}

function servicePlan(one: Imagined, snapshot: Snapshot, actions: ReturnType<typeof actionsOf>): ServicePlan {
  const none = { differences: [], restarts: 0, order: '', placements: [] };
  if ('refusal' in one) return { name: one.name, change: 'none', ...none, problems: [one.refusal] };
  const { record, before, name } = one;
  const changed = before === undefined ? [] : differences('', before.value.spec, record.spec);
  const restarts = restartsTasks(one) ? runningTasks(snapshot, record.id) : 0;
  return {
    name,
    change: before === undefined ? 'create' : changed.length > 0 ? 'update' : 'none',
    differences: changed,
    restarts,
    order: restarts > 0 ? orderOf(record) : '',
    placements: placementsOf(snapshot, record.id, actions),
    problems: pendingReasons(record.id, actions),
  };
}

function removal(record: ServiceRecord, snapshot: Snapshot): ServicePlan {
  const restarts = runningTasks(snapshot, record.id);
  return {
    name: record.spec.Name,
    change: 'remove',
    differences: [],
    restarts,
    order: '',
    placements: [],
    problems: [],
  };
}

function runningTasks({ tasks }: Snapshot, serviceId: string): number {
  return [...tasks.values()].filter(({ value }) => value.serviceId === serviceId && value.desired !== 'stopped').length;
}

function orderOf({ spec }: ServiceRecord): string {
  const { parallelism, order } = updateRules(spec.UpdateConfig);
  return `${parallelism === 0 ? 'all at once' : `${parallelism} at a time`}, ${order}`;
}

function placementsOf(snapshot: Snapshot, serviceId: string, actions: ReturnType<typeof actionsOf>) {
  const counts = new Map<string, number>();
  for (const action of actions) {
    if (action.kind !== 'create-task' || action.record.serviceId !== serviceId) continue;
    const node = snapshot.nodes.get(action.record.nodeId)?.value.hostname ?? action.record.nodeId;
    counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([node, tasks]) => ({ node, tasks }));
}

function pendingReasons(serviceId: string, actions: ReturnType<typeof actionsOf>): string[] {
  const counts = new Map<string, number>();
  for (const action of actions) {
    const reason = action.kind === 'put-slot' && action.record.serviceId === serviceId && action.record.pending?.reason;
    if (typeof reason === 'string') counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, tasks]) => `${tasks} task${tasks > 1 ? 's' : ''} would find no place: ${reason}`);
}
