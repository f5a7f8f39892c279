/** `/v1/why`: the recorded reasons for the state of a service, a task or a node. Pure. */
import type { WhyAnswer, WhyPart } from '../../../model/native-api.ts';
import type { NodeSpecRecord } from '../../../model/node-record.ts';
import type { RolloutRecord } from '../../../model/rollout-record.ts';
import { restartRules } from '../../../model/service-defaults.ts';
import type { ServiceRecord } from '../../../model/service-record.ts';
import type { HistoryEntry, SlotRecord } from '../../../model/slot-record.ts';
import type { StatusRecord } from '../../../model/status-record.ts';
import type { TaskRecord } from '../../../model/task-record.ts';
import type { Moment } from '../../plan/actions.ts';
import { liveServicesByName } from '../../store/live-services.ts';
import { nodeName } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { taskTrouble } from '../task-trouble.ts';
import { alertFacts } from './alert-view.ts';
import { scaleFacts } from './autoscale-view.ts';
import { drainProgress } from './drain-view.ts';
import { durationWords } from './duration-words.ts';
import { exitReason } from './exit-reason.ts';
import { nextPlacement, pendingPlacement } from './placement-view.ts';
import { nodeSummary, serviceSummary } from './status-view.ts';
import { taskName } from './task-name.ts';
import { theOneMeant } from './the-one-meant.ts';

/**
 * Explains what `term` names: a service's name or id, a task's name (`web.1`) or id, a node's name or id; ids may be
 * shortened while they stay unique. Throws `not-found`, or `invalid` for a short id that fits several.
 */
export function explain(snapshot: Snapshot, term: string, now: Moment): WhyAnswer {
  const nowMs = now.wallMs;
  const candidates = [
    ...liveServicesByName(snapshot).map((service) => serviceCandidate(snapshot, service, now)),
    ...[...snapshot.tasks.values()].map(({ value }) => taskCandidate(snapshot, value, nowMs)),
    ...[...snapshot.slots.values()].flatMap(({ value }) => slotCandidate(snapshot, value, now)),
    ...[...snapshot.nodeSpecs.values()].map(({ value }) => nodeCandidate(snapshot, value, nowMs)),
  ];
  return theOneMeant(candidates, term).answer();
}

interface Candidate {
  readonly id: string;
  readonly name: string;
  readonly answer: () => WhyAnswer;
}

function serviceCandidate(snapshot: Snapshot, service: ServiceRecord, now: Moment): Candidate {
  const { id } = service;
  const { Name: name } = service.spec;
  return { id, name, answer: () => ({ kind: 'service', id, name, ...explainService(snapshot, service, now) }) };
}

function explainService(
  snapshot: Snapshot,
  service: ServiceRecord,
  now: Moment,
): Pick<WhyAnswer, 'facts' | 'parts' | 'placement'> {
  const nowMs = now.wallMs;
  const summary = serviceSummary(snapshot, service);
  const rollout = snapshot.rollouts.get(service.id)?.value;
  const scale = snapshot.scales.get(service.id)?.value;
  const facts = [`${summary.running} of ${summary.desired} tasks run, ${summary.ready} of them ready`];
  facts.push(...scaleFacts(service, scale), ...alertFacts(snapshot, service, nowMs));
  if (rollout) facts.push(rolloutFact(rollout));
  const belongs = (each: { readonly value: { readonly serviceId: string } }) => each.value.serviceId === service.id;
  const tasks = [...snapshot.tasks.values()].filter(belongs).map(({ value }) => taskPart(snapshot, value, nowMs));
  const slots = [...snapshot.slots.values()].filter(belongs).map(({ value }) => value);
  const pending = slots.flatMap((slot) => pendingParts(snapshot, slot, nowMs));
  const past = slots.flatMap((slot) => slot.history.map((entry) => historyPart(snapshot, slot, entry, nowMs)));
  const parts = [...[...pending, ...tasks].sort(byName), ...past.sort(byName)];
  return { facts, parts, placement: nextPlacement(snapshot, service, now) };
}

function rolloutFact({ state, revision, message, cause }: RolloutRecord): string {
  const words = cause === undefined || cause === message ? message : `${message}: ${cause}`;
  return `${state} to revision ${revision}: ${words}`;
}

function byName(left: WhyPart, right: WhyPart): number {
  return left.name.localeCompare(right.name, 'en', { numeric: true });
}

function taskPart(snapshot: Snapshot, task: TaskRecord, nowMs: number): WhyPart {
  const status = snapshot.statuses.get(task.id)?.value;
  const isUnhealthy = status?.health === 'unhealthy' ? 'unhealthy' : undefined;
  const trouble = taskTrouble(snapshot, task);
  const words = [trouble, status?.error, isUnhealthy, ending(task, status), restarts(status), task.reason];
  if (status?.retryAtMs !== undefined && status.retryAtMs > nowMs) {
    words.push(`next attempt in ${durationWords(status.retryAtMs - nowMs)}`);
  }
  return {
    name: taskName(snapshot, task, task.nodeId),
    state: status
      ? `${known(snapshot, task, status)} for ${durationWords(nowMs - status.changedAtMs)}`
      : `assigned, not reported yet`,
    node: nodeName(snapshot, task.nodeId),
    reason: words.filter(Boolean).join('; '),
  };
}

/** Nobody knows what became of a task whose node is not heard of. */
function known(snapshot: Snapshot, { nodeId }: TaskRecord, { state }: StatusRecord): string {
  return snapshot.liveness.get(nodeId)?.state === 'lost' ? `unknown, was ${state}` : state;
}

/** Why no other attempt follows one that ended by itself. */
function ending({ desired, job, template }: TaskRecord, status: StatusRecord | undefined): string | undefined {
  if (!status?.final || status.revoked || desired !== 'running' || job) return undefined;
  const { condition, maxAttempts } = restartRules(template.RestartPolicy);
  const isUsedUp = condition !== 'none' && status.state !== 'complete';
  const why = isUsedUp ? `max attempts ${maxAttempts} reached` : `its restart condition is ${condition}`;
  return `not started again: ${why}`;
}

/** "restarted 3 times, last after: exit code 0"; the reason is left out where it is the present error anyway. */
function restarts(status: StatusRecord | undefined): string | undefined {
  if (!status || status.restarts === 0) return undefined;
  const last = status.exits.at(-1);
  const times = `restarted ${status.restarts === 1 ? 'once' : `${status.restarts} times`}`;
  return last && last.error !== status.error ? `${times}, last after: ${exitReason(last)}` : times;
}

function pendingParts(snapshot: Snapshot, slot: SlotRecord, nowMs: number): WhyPart[] {
  if (!slot.pending) return [];
  const state = `pending for ${durationWords(nowMs - slot.pending.sinceMs)}`;
  return [{ name: taskName(snapshot, slot, slot.nodeId), state, node: '', reason: slot.pending.reason }];
}

function historyPart(snapshot: Snapshot, slot: SlotRecord, entry: HistoryEntry, nowMs: number): WhyPart {
  return {
    name: taskName(snapshot, slot, slot.nodeId),
    state: `${entry.state} ${durationWords(nowMs - entry.finishedAtMs)} ago`,
    node: nodeName(snapshot, entry.nodeId),
    reason: entry.error,
  };
}

function taskCandidate(snapshot: Snapshot, task: TaskRecord, nowMs: number): Candidate {
  const name = taskName(snapshot, task, task.nodeId);
  return {
    id: task.id,
    name,
    answer: () => ({
      kind: 'task',
      id: task.id,
      name,
      facts: [`runs revision ${task.revision} on ${nodeName(snapshot, task.nodeId)}: ${task.reason}`],
      parts: [taskPart(snapshot, task, nowMs), ...exitParts(snapshot, task, nowMs)],
    }),
  };
}

function exitParts(snapshot: Snapshot, task: TaskRecord, nowMs: number): WhyPart[] {
  const exits = snapshot.statuses.get(task.id)?.value.exits ?? [];
  return [...exits].reverse().map((exit) => ({
    name: `attempt ${exit.attempt}`,
    state: `${exit.state} ${durationWords(nowMs - exit.finishedAtMs)} ago`,
    node: nodeName(snapshot, task.nodeId),
    reason: exitReason(exit),
  }));
}

function slotCandidate(snapshot: Snapshot, slot: SlotRecord, now: Moment): Candidate[] {
  const pending = slot.pending;
  if (!pending) return [];
  const name = taskName(snapshot, slot, slot.nodeId);
  const answer = (): WhyAnswer => ({
    kind: 'task',
    id: pending.taskId,
    name,
    facts: [`waits for a node: ${pending.reason}`],
    parts: pendingParts(snapshot, slot, now.wallMs),
    placement: pendingPlacement(snapshot, slot, now),
  });
  return [{ id: pending.taskId, name, answer }];
}

/** What a drain waits for, task by task. */
function drainFacts(snapshot: Snapshot, { id }: NodeSpecRecord): string[] {
  const { draining, left, homeless } = drainProgress(snapshot, id);
  if (!draining) return [];
  return [
    left.length === 0 ? 'it is empty' : `${left.length} tasks are still to leave it`,
    ...left.map(({ task, waitsFor }) => `${task} waits for ${waitsFor}`),
    ...homeless.map(({ task, reason }) => `${task} had to leave and runs nowhere: ${reason}`),
  ];
}

function nodeCandidate(snapshot: Snapshot, spec: NodeSpecRecord, nowMs: number): Candidate {
  const summary = nodeSummary(snapshot, spec);
  return {
    id: spec.id,
    name: summary.hostname,
    answer: () => ({
      kind: 'node',
      id: spec.id,
      name: summary.hostname,
      facts: [
        `${summary.state}${summary.message ? `: ${summary.message}` : ''}`,
        `availability ${summary.availability}, ${summary.runningTasks} tasks run`,
        ...drainFacts(snapshot, spec),
      ],
      parts: [...snapshot.tasks.values()]
        .filter(({ value }) => value.nodeId === spec.id)
        .map(({ value }) => taskPart(snapshot, value, nowMs)),
    }),
  };
}
