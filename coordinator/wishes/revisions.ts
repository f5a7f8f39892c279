/** Which change of a service makes its tasks anew: revisions compared by content. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { isJob } from '../../model/jobs.ts';
import type { Revision, ServiceRecord } from '../../model/service-record.ts';
import type { ServiceSpec, TaskTemplate } from '../../model/service-spec.ts';
import type { Snapshot } from '../store/snapshot.ts';

const REVISIONS_KEPT = 10;

type Undoable = Pick<ServiceRecord, 'spec' | 'previousSpec' | 'revision' | 'revisions'>;

export interface RevisionHistory {
  /** The number tasks should run. */
  readonly revision: number;
  readonly revisions: Revision[];
}

/**
 * The history after `spec` became the wish. The same tasks as now keep the number (placement alone restarts nothing;
 * its new words are kept); the same tasks as some time ago get that time's number back; anything else counts up.
 * A revision that becomes current gets `nowMs` as its time. Every change of a job is a new run of it, hence a new number.
 * `inUse`: numbers of its tasks, one of which the history does not know where it came back older than it was.
 */
export function withRevisionOf(
  spec: ServiceSpec,
  history: RevisionHistory | undefined,
  nowMs: number,
  inUse: readonly number[] = [],
): RevisionHistory {
  const { revision: currentNumber, revisions } = history ?? { revision: 0, revisions: [] };
  const same = isJob(spec) ? undefined : revisions.findLast((known) => runsTheSame(known, spec));
  if (same !== undefined && same.number === currentNumber) {
    const current = { ...same, taskTemplate: spec.TaskTemplate };
    return { revision: currentNumber, revisions: revisions.map((known) => (known === same ? current : known)) };
  }
  const number = same?.number ?? Math.max(0, ...inUse, ...revisions.map((known) => known.number)) + 1;
  const added: Revision = { number, taskTemplate: spec.TaskTemplate, createdAtMs: nowMs };
  if (spec.EndpointSpec !== undefined) added.endpointSpec = spec.EndpointSpec;
  const others = revisions.filter((known) => known !== same);
  return { revision: number, revisions: [...others, added].slice(-REVISIONS_KEPT) };
}

/**
 * What a failed update goes back to: the specification before it, or, where that runs the same tasks (the service was scaled
 * meanwhile), the tasks of the revision before it. Undefined where there is none.
 */
export function specBeforeUpdate(service: Undoable): ServiceSpec | undefined {
  const { spec, previousSpec, revision, revisions } = service;
  const history = { revision, revisions };
  if (previousSpec && withRevisionOf(previousSpec, history, 0).revision !== revision) return previousSpec;
  const earlier = revisions.findLast((known) => known.number !== revision);
  return earlier && { ...spec, TaskTemplate: earlier.taskTemplate, EndpointSpec: earlier.endpointSpec };
}

/** The revisions a service's tasks are of, as far as anything tells of them. */
export function revisionsInUse(serviceId: string, { tasks, slots }: Pick<Snapshot, 'tasks' | 'slots'>): number[] {
  const inUse = new Set<number>();
  for (const { value } of tasks.values()) if (value.serviceId === serviceId) inUse.add(value.revision);
  for (const { value } of slots.values()) {
    if (value.serviceId === serviceId) for (const { revision } of value.assigned) inUse.add(revision);
  }
  return [...inUse];
}

function runsTheSame(known: Revision, spec: ServiceSpec): boolean {
  return (
    isDeepStrictEqual(withoutPlacement(known.taskTemplate), withoutPlacement(spec.TaskTemplate)) &&
    isDeepStrictEqual(endpointWords(known.endpointSpec), endpointWords(spec.EndpointSpec))
  );
}

function withoutPlacement(template: TaskTemplate): TaskTemplate {
  return { ...template, Placement: undefined };
}

/** Absent, `{}` and `{Mode: 'vip'}` mean one thing. */
function endpointWords(endpoint: ServiceSpec['EndpointSpec']): unknown {
  return { mode: endpoint?.Mode || 'vip', ports: endpoint?.Ports ?? [] };
}
