/** `/v1/why?at=`: how a service, a task or a node was at an earlier time, from what the cluster remembers. */
import { pastStream } from '../../../bus/bucket-definitions.ts';
import { subjects } from '../../../bus/subjects.ts';
import type { WhyAnswer } from '../../../model/native-api.ts';
import { PastDecision, PastExit } from '../../../model/past.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { SlotRecord } from '../../../model/slot-record.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { type PastService, type PresentService, serviceThen } from '../../past/remembered.ts';
import { liveServicesByName } from '../../store/live-services.ts';
import { nodeName } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { isoTime } from '../docker/dates.ts';
import type { PastQuestion, SlotMeant } from './past-question.ts';
import { taskName } from './task-name.ts';
import { type Named, theOneMeant } from './the-one-meant.ts';
import { serviceAnswer, slotAnswer } from './then-answers.ts';
import { explainNodeAt } from './why-node-at.ts';

/** Of a service with more slots the ends of attempts are told for one task at a time. */
const MOST_SLOTS_WITH_EXITS = 100;

interface Candidate extends Named {
  readonly answer: () => Promise<WhyAnswer>;
}

/**
 * As `explain()`, for a time that is past. Throws `invalid` for a time to come, `not-found`, with what is the oldest known,
 * for one of which nothing is remembered.
 */
export async function explainAt(term: string, question: PastQuestion): Promise<WhyAnswer> {
  const { atMs, nowMs, snapshot } = question;
  if (atMs > nowMs) {
    const message = `at: ${isoTime(atMs)} is still to come: it is ${isoTime(nowMs)}`;
    throw new PlimsollError('invalid', message);
  }
  const services = liveServicesByName(snapshot);
  const candidates = [
    ...services.map((service) => serviceCandidate(service, question)),
    ...slotsMeant(services, term, snapshot).map((slot) => slotCandidate(slot, question)),
    ...[...snapshot.nodeSpecs.values()].map(({ value: spec }): Candidate => {
      const name = nodeName(snapshot, spec.id);
      return { id: spec.id, name, answer: () => explainNodeAt(spec, question) };
    }),
  ];
  return theOneMeant(candidates, term).answer();
}

/**
 * What `term` may mean of all tasks that have a name or an id now, and the slot it numbers though that is gone. Each slot is
 * looked at once: there may be a hundred thousand.
 */
function slotsMeant(services: readonly ServiceRecord[], term: string, snapshot: Snapshot): SlotMeant[] {
  const byId = new Map(services.map((service) => [service.id, service]));
  const meant: SlotMeant[] = [];
  for (const { value: record } of snapshot.slots.values()) {
    const service = byId.get(record.serviceId);
    if (service) meant.push(...meantOf(record, service, term, snapshot));
  }
  return [...meant, ...services.flatMap((service) => numberedSlot(service, term))];
}

function meantOf(record: SlotRecord, service: ServiceRecord, term: string, snapshot: Snapshot): SlotMeant[] {
  const slotKey = record.slot === 0 ? (record.nodeId ?? '') : String(record.slot);
  const name = taskName(snapshot, record, record.nodeId);
  // By its name whichever task of the slot was there then, by its id that one.
  const ids = taskIdsOf(record).filter((id) => id.startsWith(term));
  const own = [...new Set(ids)].map((taskId) => ({ id: taskId, name: taskId, service, slotKey, taskId }));
  return name === term ? [{ id: name, name, service, slotKey }, ...own] : own;
}

function taskIdsOf({ assigned, history, pending }: SlotRecord): string[] {
  return [...assigned, ...history, ...(pending ? [pending] : [])].map(({ taskId }) => taskId);
}

function numberedSlot(service: ServiceRecord, term: string): SlotMeant[] {
  const start = `${service.spec.Name}.`;
  const slotKey = term.startsWith(start) ? term.slice(start.length) : '';
  return /^[1-9]\d{0,8}$/.test(slotKey) ? [{ id: term, name: term, service, slotKey }] : [];
}

function serviceCandidate(service: ServiceRecord, question: PastQuestion): Candidate {
  const { id } = service;
  const { Name: name } = service.spec;
  const answer = async (): Promise<WhyAnswer> => {
    const { past, sinceMs } = await remembered(service, name, question, () => true);
    const slots = new Set([...past.tasks, ...past.waits].map(({ slot }) => slot));
    const isTooMany = slots.size > MOST_SLOTS_WITH_EXITS;
    const exits = isTooMany ? undefined : await question.bus.stored(subjects.pastExits(id, '*'), PastExit);
    return serviceAnswer(service, past, exits, { ...question, sinceMs });
  };
  return { id, name, answer };
}

function slotCandidate(slot: SlotMeant, question: PastQuestion): Candidate {
  const { id, name, service, slotKey, taskId } = slot;
  const answer = async (): Promise<WhyAnswer> => {
    const isMeant = (each: { readonly slot: string; readonly taskId?: string }) =>
      each.slot === slotKey && (taskId === undefined || each.taskId === taskId || each.taskId === undefined);
    const { past, sinceMs } = await remembered(service, name, question, isMeant);
    const exits = await question.bus.stored(subjects.pastExits(service.id, slotKey), PastExit);
    return slotAnswer(slot, past, exits, { ...question, sinceMs });
  };
  return { id, name, answer };
}

interface Remembered {
  readonly past: PastService;
  /** Of when the oldest decision is that is still known. */
  readonly sinceMs: number;
}

/** Throws `not-found` unless something of what is meant is known of that time. */
async function remembered(
  service: ServiceRecord,
  name: string,
  { bus, atMs, snapshot }: PastQuestion,
  isMeant: (each: { readonly slot: string; readonly taskId?: string }) => boolean,
): Promise<Remembered> {
  if (atMs < service.createdAtMs) {
    const message = `${service.spec.Name} was not there at ${isoTime(atMs)}: it was made at ${isoTime(service.createdAtMs)}`;
    throw new PlimsollError('not-found', message);
  }
  const decisions = await bus.stored(subjects.pastDecisions(service.id), PastDecision);
  const past = serviceThen(decisions, atMs, presentOf(service, snapshot));
  const sinceMs = Math.min(...decisions.map((decision) => decision.atMs));
  if ([...past.tasks, ...past.waits].some(isMeant)) return { past, sinceMs };
  const oldest = decisions.length === 0 ? 'none is known' : `the oldest known is of ${isoTime(sinceMs)}`;
  const { maxMessagesPerSubject, maxBytes } = pastStream;
  const kept = `kept are the last ${maxMessagesPerSubject} of each service, and ${maxBytes / 2 ** 20} MiB in all`;
  const what = `No decision about ${name} before ${isoTime(atMs)} is remembered`;
  throw new PlimsollError('not-found', `${what}: of ${service.spec.Name} ${oldest} (${kept})`);
}

function presentOf({ id }: ServiceRecord, { tasks, slots }: Snapshot): PresentService {
  return {
    tasks: [...tasks.values()].flatMap(({ value }) => (value.serviceId === id ? [value] : [])),
    slots: [...slots.values()].flatMap(({ value }) => (value.serviceId === id ? [value] : [])),
  };
}
