/** `/tasks`, except their logs. */
import { Router } from 'express';
import type { ServiceRecord } from '../../../model/service-record.ts';
import { hostnameOf } from '../../store/node-names.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { DockerApiParts } from './api-parts.ts';
import { type Filters, parseFilters, passes, passesLabels } from './filters.ts';
import { pathPart, queryText } from './query.ts';
import { taskByReference, taskName } from './references.ts';
import { ApiError, sendJson } from './responses.ts';
import { type TaskView, taskViews } from './task-view.ts';

const filterKeys = ['id', 'name', 'label', 'service', 'node', 'desired-state', 'runtime', '_up-to-date'];
const desiredStates = ['running', 'shutdown', 'accepted'];

export function taskRoutes(parts: DockerApiParts): Router {
  const router = Router();
  router.get('/tasks', (req, res) => {
    const snapshot = parts.snapshot();
    const filters = parseFilters(queryText(req, 'filters'), filterKeys);
    for (const state of filters.get('desired-state') ?? []) {
      if (!desiredStates.includes(state)) throw new ApiError(400, `Invalid desired-state filter: '${state}'`);
    }
    const asked = taskViews(snapshot, (service) => isServiceWanted(service, filters));
    const found = asked.filter((task) => isWanted(snapshot, task, filters));
    sendJson(res, 200, found.map(wireTask));
  });
  router.get('/tasks/:task', (req, res) => {
    sendJson(res, 200, wireTask(taskByReference(parts.snapshot(), pathPart(req, 'task'))));
  });
  return router;
}

function wireTask({ plimsoll: _ours, ...task }: TaskView): object {
  return task;
}

/** Looked at before any task is: who asks for one service does not wait for the tasks of all. */
function isServiceWanted({ id, spec }: ServiceRecord, filters: Filters): boolean {
  return (
    passes(filters, 'service', (wanted) => wanted === id || wanted === spec.Name) &&
    passesLabels(filters, 'label', spec.Labels ?? {})
  );
}

function isWanted(snapshot: Snapshot, task: TaskView, filters: Filters): boolean {
  const service = snapshot.services.get(task.ServiceID)?.value;
  const isCurrent = task.plimsoll.revision === service?.revision;
  return (
    passes(filters, 'id', (prefix) => task.ID.startsWith(prefix)) &&
    passes(filters, 'name', (prefix) => taskName(snapshot, task).startsWith(prefix)) &&
    passes(filters, 'node', (wanted) => wanted === task.NodeID || wanted === hostnameOf(snapshot, task.NodeID ?? '')) &&
    passes(filters, 'desired-state', (wanted) => isDesired(task, wanted)) &&
    passes(filters, 'runtime', (runtime) => runtime === 'container') &&
    passes(filters, '_up-to-date', (wanted) => wanted !== 'true' || isCurrent)
  );
}

/** Swarm's three groups: what shall run (or become ready to), what shall not, and `accepted`, which nothing of ours is. */
function isDesired(task: TaskView, wanted: string): boolean {
  if (wanted === 'running') return task.DesiredState === 'running' || task.DesiredState === 'ready';
  return wanted === 'shutdown' && (task.DesiredState === 'shutdown' || task.DesiredState === 'remove');
}
