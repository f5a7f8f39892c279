/** `/services/x/logs` and `/tasks/x/logs`. */
import { type Request, type Response, Router } from 'express';
import type { ServiceRecord } from '../../../model/service-record.ts';
import { liveServices } from '../../store/live-services.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { DockerApiParts } from './api-parts.ts';
import { clientSignal } from './client-signal.ts';
import { encodeFrame, STREAM_ERROR } from './log-frames.ts';
import { followLogs, type LogStreamParts, readLogs } from './log-stream.ts';
import { nodeState } from './node-state.ts';
import { pacedWriter } from './paced-writer.ts';
import { pathPart, queryFlag, queryText, queryTimeSeconds } from './query.ts';
import { serviceByReference, taskByReference } from './references.ts';
import { ApiError } from './responses.ts';
import type { LogLine, LogSource, LogsQuery } from './task-log.ts';
import { assignmentTasks, serviceTasks, type TaskView } from './task-view.ts';

/** `closing` ends followed logs when the coordinator stops. */
export function logRoutes(parts: DockerApiParts, closing: AbortSignal): Router {
  const router = Router();
  router.get('/services/:service/logs', async (req, res) => {
    const { id, spec } = serviceByReference(parts.snapshot(), pathPart(req, 'service')).value;
    const tasks = (snapshot: Snapshot, service: ServiceRecord) => serviceTasks(snapshot, service);
    const sources = rememberedSources(parts, id, tasks);
    await answerLogs(parts, req, res, { sources, tty: spec.TaskTemplate.ContainerSpec.TTY === true, closing });
  });
  router.get('/tasks/:task/logs', async (req, res) => {
    const task = taskByReference(parts.snapshot(), pathPart(req, 'task'));
    const { taskId } = task.plimsoll;
    const tasks = (snapshot: Snapshot, service: ServiceRecord) => assignmentTasks(snapshot, service, taskId);
    const sources = rememberedSources(parts, task.ServiceID, tasks);
    await answerLogs(parts, req, res, { sources, tty: task.Spec.ContainerSpec.TTY === true, closing });
  });
  return router;
}

type TasksOf = (snapshot: Snapshot, service: ServiceRecord) => readonly TaskView[];

/** What tasks are shown by. */
const sourceTables = ['services', 'tasks', 'statuses', 'slots', 'scales', 'cluster'] as const;

/** Every followed log asks twice a second: it is worked out anew when something has changed. */
function rememberedSources(
  { snapshot }: Pick<DockerApiParts, 'snapshot'>,
  serviceId: string,
  tasksOf: TasksOf,
): LogStreamParts['sources'] {
  let seen: Snapshot | undefined;
  let known: readonly LogSource[] | undefined;
  return () => {
    const [before, now] = [seen, snapshot()];
    if (before === undefined || sourceTables.some((table) => before[table] !== now[table])) {
      known = sourcesIn(now, serviceId, tasksOf);
    }
    seen = now;
    return known;
  };
}

/** One source per assignment: its newest attempt, which the older ones' lines are shown under. */
function sourcesIn(snapshot: Snapshot, serviceId: string, tasksOf: TasksOf): LogSource[] | undefined {
  const service = liveServices(snapshot).find(({ value: { id } }) => id === serviceId)?.value;
  if (!service) return undefined;
  const newest = new Map<string, TaskView>();
  for (const task of tasksOf(snapshot, service)) {
    const known = newest.get(task.plimsoll.taskId);
    const isWaiting = task.Status.ContainerStatus === undefined && task.DesiredState === 'ready';
    if (task.NodeID !== undefined && !isWaiting && !(known && known.CreatedAt > task.CreatedAt)) {
      newest.set(task.plimsoll.taskId, task);
    }
  }
  return [...newest.values()].map((task) => ({
    taskId: task.plimsoll.taskId,
    shownTaskId: task.ID,
    serviceId,
    nodeId: task.NodeID ?? '',
    tty: task.Spec.ContainerSpec.TTY === true,
  }));
}

interface LogAnswer {
  readonly sources: LogStreamParts['sources'];
  readonly tty: boolean;
  readonly closing: AbortSignal;
}

async function answerLogs(parts: DockerApiParts, req: Request, res: Response, answer: LogAnswer): Promise<void> {
  const query = logsQuery(req);
  const shape = { details: queryFlag(req, 'details'), timestamps: queryFlag(req, 'timestamps'), tty: answer.tty };
  const signal = clientSignal(res, answer.closing);
  res.setHeader('Content-Type', `application/vnd.docker.${answer.tty ? 'raw' : 'multiplexed'}-stream`);
  res.flushHeaders();
  const write = pacedWriter(res, signal);
  const stream: LogStreamParts = {
    ...parts,
    sources: answer.sources,
    isNodeUp: (nodeId) => nodeState(parts.snapshot(), nodeId) !== 'down',
    write: (source, line) => write(shownLine(source, line, shape)),
  };
  if (query.follow) await followLogs(stream, query, signal);
  else explainMissing(res, answer.tty, await readLogs(stream, query, signal));
  res.end();
}

/** Swarm's words for logs it could not get all of; they end the client with an error after everything it could get. */
function explainMissing(res: Response, tty: boolean, missing: readonly string[]): void {
  if (missing.length === 0 || tty) return;
  const text =
    'Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. ' +
    `some logs could not be retrieved for the following reasons: ${missing.join(', ')}`;
  res.write(encodeFrame(STREAM_ERROR, Buffer.from(text)));
}

interface LineShape {
  readonly details: boolean;
  readonly timestamps: boolean;
  readonly tty: boolean;
}

/** `[time] [details] text`, framed unless it is a terminal's. Pure. */
export function shownLine(source: LogSource, line: LogLine, shape: LineShape): Buffer {
  const time = shape.timestamps ? `${line.timestamp} ` : '';
  const details =
    `com.docker.swarm.node.id=${source.nodeId},com.docker.swarm.service.id=${source.serviceId},` +
    `com.docker.swarm.task.id=${source.shownTaskId} `;
  const text = Buffer.concat([Buffer.from(shape.details ? time + details : time), line.text]);
  return shape.tty ? text : encodeFrame(line.stream, text);
}

function logsQuery(req: Request): LogsQuery {
  const [stdout, stderr] = [queryFlag(req, 'stdout'), queryFlag(req, 'stderr')];
  if (!stdout && !stderr) throw new ApiError(500, 'Bad parameters: you must choose at least one stream');
  const tail = queryText(req, 'tail') ?? 'all';
  return {
    stdout,
    stderr,
    follow: queryFlag(req, 'follow'),
    // As the engine: what is no number means all of it.
    tail: /^\d{1,9}$/.test(tail) ? Number(tail) : 'all',
    sinceSeconds: queryTimeSeconds(req, 'since') ?? 0,
    untilSeconds: queryTimeSeconds(req, 'until') ?? 0,
  };
}
