/** Services as metrics: what is wanted, what there is, why not. */

import { groupBy } from '../../runtime/group-by.ts';
import { labelText } from '../../runtime/label-text.ts';
import { isAvailable, isReady, isWanted, type ServiceState, type TaskState } from './cluster-view.ts';
import { oneHot, type StateFamily, type StateSample } from './state-family.ts';

const conditionStatuses = ['true', 'false'] as const;

const updateStates = [
  'updating',
  'paused',
  'completed',
  'rollback_started',
  'rollback_paused',
  'rollback_completed',
] as const;

export const serviceFamilies: readonly StateFamily[] = [
  manyPerService('plimsoll_service_info', 'Always 1; what a service is.', (service) => {
    const { id, spec } = service.record;
    const image = spec.TaskTemplate.ContainerSpec.Image;
    const words = labelText({ service_id: id, mode: service.mode, image });
    return [{ labels: `${service.labels},${words}`, value: 1 }];
  }),
  perService('plimsoll_service_created_timestamp_seconds', 'When the service was created.', ({ record }) => {
    return record.createdAtMs / 1000;
  }),
  perService('plimsoll_service_updated_timestamp_seconds', 'When the service was last changed.', ({ record }) => {
    return record.updatedAtMs / 1000;
  }),
  perService(
    'plimsoll_service_spec_version',
    'Version of the specification (Version.Index of the Engine API): grows with every change.',
    ({ version }) => version,
  ),
  manyPerService(
    'plimsoll_service_observed_version',
    'Version of the specification the leader last planned from; only the leader tells.',
    ({ labels, plannedVersion }) => (plannedVersion === undefined ? [] : [{ labels, value: plannedVersion }]),
  ),
  perService('plimsoll_service_spec_revision', 'Revision the tasks should run.', ({ record }) => record.revision),
  perService('plimsoll_service_spec_replicas', 'Tasks wanted.', ({ desired }) => desired),
  perService(
    'plimsoll_service_spec_paused',
    '1 while the update of a service is paused, else 0.',
    ({ updateState }) => {
      return updateState === 'paused' || updateState === 'rollback_paused' ? 1 : 0;
    },
  ),
  perService('plimsoll_service_status_replicas', 'Tasks that run or shall run, on any node.', ({ tasks }) => {
    return countOf(tasks, isWanted);
  }),
  perService(
    'plimsoll_service_status_replicas_ready',
    'Tasks that run, healthy where there is a health check, on nodes that are not lost.',
    ({ tasks }) => countOf(tasks, isReady),
  ),
  perService(
    'plimsoll_service_status_replicas_available',
    'Ready tasks on nodes that are heard of right now.',
    ({ tasks }) => countOf(tasks, isAvailable),
  ),
  perService('plimsoll_service_status_replicas_unavailable', 'Tasks wanted and not available.', ({ tasks, desired }) =>
    Math.max(0, desired - countOf(tasks, isAvailable)),
  ),
  perService(
    'plimsoll_service_status_replicas_updated',
    'Tasks of the current revision that run or shall run.',
    ({ tasks, record }) => countOf(tasks, (state) => isWanted(state) && state.task.revision === record.revision),
  ),
  manyPerService(
    'plimsoll_service_status_condition',
    'Conditions of a service: 1 for the status each has, 0 for the other. available: all wanted tasks are; ' +
      'progressing: an update or rollback is under way.',
    (service) => [
      ...condition(service, 'available', countOf(service.tasks, isAvailable) >= service.desired),
      ...condition(service, 'progressing', isProgressing(service)),
    ],
  ),
  manyPerService(
    'plimsoll_service_tasks_pending',
    'Tasks that fit no node, by what keeps most nodes from taking them; the sentence is in docker service ps.',
    ({ labels, pending }) =>
      [...groupBy(pending, ({ code }) => code)].map(([reason, slots]) => ({
        labels: `${labels},reason="${reason}"`,
        value: slots.length,
      })),
  ),
  manyPerService(
    'plimsoll_service_update_state',
    '1 for the state of the last update of a service, 0 for the others; absent before the first update.',
    ({ labels, updateState }) => (updateState === undefined ? [] : oneHot(labels, 'state', updateStates, updateState)),
  ),
];

function manyPerService(name: string, help: string, samplesOf: (service: ServiceState) => StateSample[]): StateFamily {
  return { name, type: 'gauge', help, samples: ({ services }) => services.flatMap(samplesOf) };
}

function perService(name: string, help: string, valueOf: (service: ServiceState) => number): StateFamily {
  return manyPerService(name, help, (service) => [{ labels: service.labels, value: valueOf(service) }]);
}

function condition({ labels }: ServiceState, name: string, holds: boolean): StateSample[] {
  return oneHot(`${labels},condition="${name}"`, 'status', conditionStatuses, String(holds));
}

function isProgressing({ updateState }: ServiceState): boolean {
  return updateState === 'updating' || updateState === 'rollback_started';
}

function countOf(tasks: readonly TaskState[], matches: (state: TaskState) => boolean): number {
  return tasks.reduce((count, state) => count + (matches(state) ? 1 : 0), 0);
}
