/** What this node answers when asked over the bus: probes, containers, inspections, logs, usage, its metrics page, orphans. */
import { z } from 'zod';
import type { Bus, Subscription } from '../bus/bus.ts';
import { CHUNK_BYTES } from '../bus/byte-stream.ts';
import {
  ContainerListRequest,
  type InstanceReply,
  LogsRequest,
  MetricsRequest,
  type OrphansReply,
  ProbeRequest,
  RestartRequest,
  StatsRequest,
} from '../model/messages.ts';
import type { NodeRecord } from '../model/node-record.ts';
import { PlimsollError } from '../runtime/errors.ts';
import type { TcpProbe } from '../runtime/tcp-probe.ts';
import type { Engine } from './engine/engine.ts';
import type { MetricsPage } from './metrics/page-writer.ts';
import type { TaskSupervisor } from './task-supervisor.ts';
import type { TasksHere } from './tasks-here.ts';

export interface NodeRequestParts {
  readonly bus: Bus;
  /** Bytes have a connection of their own: a fast log must not stand in the way of state. */
  readonly streams: Bus;
  readonly nodeId: string;
  readonly engine: Engine;
  readonly probe: TcpProbe;
  readonly supervisor: TaskSupervisor;
  /** What this host is, and which agent runs on it. */
  readonly describe: () => Promise<NodeRecord>;
  /** The page the agent serves under /metrics. */
  readonly metricsPage: () => Promise<MetricsPage>;
}

/** Containers without an assignment, or `all` of this cluster's. */
const OrphansRequest = z.object({ all: z.boolean().default(false) });
const InstanceRequest = z.object({});
const InspectRequest = z.object({ id: z.string().min(1) });
const LONGEST_PROBE_MS = 5_000;

/** Answers until the subscriptions are stopped. */
export function answerRequests(parts: NodeRequestParts): Subscription[] {
  const { bus, nodeId, engine, probe, supervisor, describe } = parts;
  return [
    ...answerStreams(parts),
    bus.answer(nodeId, 'probe', ProbeRequest, (request) =>
      probe({ ...request, timeoutMs: Math.min(request.timeoutMs, LONGEST_PROBE_MS) }),
    ),
    bus.answer(nodeId, 'containers', ContainerListRequest, async ({ all }) => ({
      containers: await engine.listRaw(all),
    })),
    bus.answer(nodeId, 'inspect', InspectRequest, async ({ id }) => ({ container: await engine.inspectRaw(id) })),
    bus.answer(nodeId, 'restart', RestartRequest, async ({ containerId, graceMs }) => {
      supervisor.replace(taskOf(supervisor.here, containerId), 'restarted by request');
      await engine.stop(containerId, graceMs);
    }),
    bus.answer(nodeId, 'instance', InstanceRequest, async (): Promise<InstanceReply> => {
      const { instance, incarnation, hostname, address } = await describe();
      return { instance, incarnation, hostname, address };
    }),
    bus.answer(nodeId, 'orphans', OrphansRequest, async ({ all }): Promise<z.infer<typeof OrphansReply>> => {
      return { orphans: all ? supervisor.here.inventory() : supervisor.here.orphans() };
    }),
  ];
}

function taskOf(here: TasksHere, containerId: string): string {
  const task = here.tasks().find(({ containers }) => containers.some(({ id }) => id === containerId));
  if (task !== undefined) return task.record.id;
  throw new PlimsollError('not-found', `No task of this node has container ${containerId}`);
}

function answerStreams({ streams, nodeId, engine, supervisor, metricsPage }: NodeRequestParts): Subscription[] {
  return [
    streams.answerStream(nodeId, 'logs', LogsRequest, (request, signal) =>
      taskLogs(engine, supervisor.here, request, signal),
    ),
    streams.answerStream(nodeId, 'stats', StatsRequest, ({ id, ...options }, signal) =>
      engine.stats(id, options, signal),
    ),
    streams.answerStream(nodeId, 'metrics', MetricsRequest, async function* () {
      const page = await metricsPage();
      try {
        yield* inChunks(page.pieces);
      } finally {
        page.release();
      }
    }),
  ];
}

/** Each chunk costs the bus two messages: small pieces share one. They are copies: the bus keeps them until it has sent them. */
function* inChunks(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  for (const bytes of pieces) {
    if (waitingBytes + bytes.length > CHUNK_BYTES) {
      yield Buffer.concat(waiting);
      [waiting, waitingBytes] = [[], 0];
    }
    waiting.push(bytes);
    waitingBytes += bytes.length;
  }
  yield Buffer.concat(waiting);
}

/** The logs of a task's containers, the older attempts first; only the newest is followed. */
async function* taskLogs(
  engine: Engine,
  here: TasksHere,
  { taskId, ...options }: LogsRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const containers = [...(here.task(taskId)?.containers ?? [])].sort((a, b) => a.attempt - b.attempt);
  if (containers.length === 0) throw new PlimsollError('not-found', `No container of task ${taskId} is on this node`);
  const newest = containers.at(-1);
  for (const container of containers) {
    const follow = options.follow && container === newest;
    yield* engine.logs(container.id, { ...options, follow }, signal);
  }
}
