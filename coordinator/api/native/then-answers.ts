/** How a service or a task was at an earlier time, as `/v1/why?at=` answers it. Pure. */
import type { WhyAnswer, WhyPart } from '../../../model/native-api.ts';
import type { PastExit } from '../../../model/past.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { ExitRecord } from '../../../model/status-record.ts';
import { exitsUntil, type PastService, type PastTask, type PastWait } from '../../past/remembered.ts';
import { nodeName } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { isoTime } from '../docker/dates.ts';
import { durationWords } from './duration-words.ts';
import { exitReason } from './exit-reason.ts';
import type { SlotMeant } from './past-question.ts';

export interface Then {
  readonly snapshot: Snapshot;
  readonly atMs: number;
  /** Of when the oldest decision is that is still known. */
  readonly sinceMs: number;
}

type Exits = readonly PastExit[];

/** `exits`: of all its slots; absent where they are too many to be read. */
export function serviceAnswer(
  service: ServiceRecord,
  past: PastService,
  exits: Exits | undefined,
  then: Then,
): WhyAnswer {
  const { id } = service;
  const { Name: name } = service.spec;
  const running = past.tasks.filter(({ stopped }) => !stopped);
  // What was stopped before the oldest decision that is remembered nobody knows.
  const atLeast = then.sinceMs > then.atMs ? 'at least ' : '';
  const facts = [asOf(then), `${atLeast}${running.length} tasks were placed, ${past.waits.length} waited for a node`];
  if (past.rollout) facts.push(`${past.rollout.state} to revision ${past.rollout.revision}: ${past.rollout.message}`);
  if (!exits) facts.push(`it has too many tasks to tell their restarts at once: ask for one of them, ${name}.1`);
  const parts = [
    ...past.waits.map((wait) => waitPart(name, wait, then)),
    ...running.map((task) => taskPart(name, task, exitsUntil(exits ?? [], task.taskId, then.atMs), then)),
  ];
  parts.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  return { kind: 'service', id, name, facts, parts, ...placement(past.tableOf()) };
}

export function slotAnswer(meant: SlotMeant, past: PastService, exits: Exits, then: Then): WhyAnswer {
  const { service, slotKey, taskId } = meant;
  const { Name: serviceName } = service.spec;
  const task = past.tasks
    .filter(({ slot, taskId: id }) => slot === slotKey && (taskId === undefined || id === taskId))
    .sort(byRelevance)[0];
  const wait = past.waits.find(({ slot }) => slot === slotKey);
  const parts: WhyPart[] = wait ? [waitPart(serviceName, wait, then)] : [];
  const ends = task ? exitsUntil(exits, task.taskId, then.atMs) : [];
  if (task) parts.push(taskPart(serviceName, task, ends, then), ...ends.map((exit) => exitPart(exit, task, then)));
  const facts = [
    asOf(then),
    ...(wait ? [`waited for a node: ${wait.reason}`] : []),
    ...(task ? taskFacts(task, then) : []),
  ];
  const name = `${serviceName}.${slotKey}`;
  const id = task?.taskId ?? service.id;
  return { kind: 'task', id, name, facts, parts, ...placement(past.tableOf(slotKey)) };
}

/** Those that ran before those that were stopped, the newest first. */
function byRelevance(a: PastTask, b: PastTask): number {
  return Number(a.stopped !== undefined) - Number(b.stopped !== undefined) || b.sinceMs - a.sinceMs;
}

function placement(table: WhyAnswer['placement']): Pick<WhyAnswer, 'placement'> {
  return table ? { placement: table } : {};
}

function asOf({ atMs, sinceMs }: Then): string {
  const since = Number.isFinite(sinceMs) ? `decisions are known since ${isoTime(sinceMs)}` : 'no decision is known';
  return `as it was at ${isoTime(atMs)}; ${since}`;
}

function taskFacts({ nodeId, revision, reason, stopped }: PastTask, { snapshot, atMs }: Then): string[] {
  const which = revision === undefined ? 'a revision' : `revision ${revision}`;
  const placed = `${stopped ? 'had run' : 'ran'} ${which} on ${nodeName(snapshot, nodeId)}: ${reason}`;
  if (!stopped) return [placed];
  return [placed, `told to stop ${durationWords(atMs - stopped.atMs)} before: ${stopped.reason}`];
}

function taskPart(service: string, task: PastTask, ends: readonly ExitRecord[], { snapshot, atMs }: Then): WhyPart {
  const { slot, nodeId, sinceMs, reason, stopped } = task;
  const words = stopped
    ? `told to stop ${durationWords(atMs - stopped.atMs)} before`
    : `since ${durationWords(atMs - sinceMs)}`;
  return {
    name: `${service}.${slot}`,
    state: words,
    node: nodeName(snapshot, nodeId),
    reason: [restarts(ends), stopped?.reason ?? reason].filter(Boolean).join('; '),
  };
}

function restarts(ends: readonly ExitRecord[]): string | undefined {
  const [last] = ends;
  if (!last) return undefined;
  const times = ends.length === 1 ? 'once' : `${ends.length} times`;
  return `had ended ${times}, last: ${exitReason(last)}`;
}

function waitPart(service: string, { slot, sinceMs, reason }: PastWait, { atMs }: Then): WhyPart {
  return { name: `${service}.${slot}`, state: `pending for ${durationWords(atMs - sinceMs)}`, node: '', reason };
}

function exitPart(exit: ExitRecord, { nodeId }: PastTask, { snapshot, atMs }: Then): WhyPart {
  return {
    name: `attempt ${exit.attempt}`,
    state: `${exit.state} ${durationWords(atMs - exit.finishedAtMs)} before`,
    node: nodeName(snapshot, nodeId),
    reason: exitReason(exit),
  };
}
