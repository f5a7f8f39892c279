/** Docker's event stream of containers. It only says "look again": a gap is cured by a full list. */
import { containerLabels } from '../../model/labels.ts';
import { EventReply } from './docker-replies.ts';
import type { EngineEvent } from './engine.ts';
import type { EngineCalls } from './engine-calls.ts';
import { jsonLines } from './json-lines.ts';

/** What changes a task, or is told to `docker events`; the rest (each health check's exec) stays at the engine. */
const ACTIONS = ['start', 'die', 'oom', 'kill', 'stop', 'destroy', 'health_status', 'pause', 'unpause'];
const CONNECT_MS = 10_000;

export interface EventListeners {
  readonly onEvent: (event: EngineEvent) => void;
  readonly onEnd: () => void;
}

/**
 * Of the cluster's containers, or of all when there is no id. Resolves once the stream is open; `onEnd` is called exactly
 * once afterwards.
 */
export async function streamEvents(
  calls: EngineCalls,
  clusterId: string | undefined,
  listeners: EventListeners,
  signal: AbortSignal,
): Promise<void> {
  const which =
    clusterId === undefined
      ? { event: [...ACTIONS, 'rename', 'update'] }
      : { event: ACTIONS, label: [`${containerLabels.cluster}=${clusterId}`] };
  const filters = { type: ['container'], ...which };
  const query = { filters: JSON.stringify(filters) };
  const stream = await calls.stream({ method: 'GET', path: '/events', query, deadlineMs: CONNECT_MS, signal });
  const read = async () => {
    for await (const event of jsonLines(stream, EventReply)) {
      const { Action: action, Actor: actor } = event;
      listeners.onEvent({ action, containerId: actor.ID, attributes: actor.Attributes, atMs: event.timeNano / 1e6 });
    }
  };
  void read()
    .catch(() => undefined)
    .then(listeners.onEnd);
}
