/** Services as metrics: what is wanted, what there is, why not. */
import { containerLabels } from '../../model/labels.ts';
import { groupBy, isReady, isRunning, type ServiceState, type TaskState } from './cluster-view.ts';
import { type GaugeFamily, gaugeFamily } from './gauge-family.ts';
import { pendingReason } from './pending-reason.ts';

const identity = ['service', 'stack'] as const;

const updateStates = [
  'updating',
  'paused',
  'completed',
  'rollback_started',
  'rollback_paused',
  'rollback_completed',
] as const;

export const serviceFamilies: readonly GaugeFamily[] = [
  gaugeFamily({
    name: 'plimsoll_service_info',
    help: 'Always 1; what a service is.',
    labelNames: [...identity, 'service_id', 'mode', 'image'],
    samples: ({ services }) =>
      services.map((service) => ({
        labels: {
          ...identify(service),
          service_id: service.record.id,
          mode: service.mode,
          image: service.record.spec.TaskTemplate.ContainerSpec.Image,
        },
        value: 1,
      })),
  }),
  perService('plimsoll_service_created_timestamp_seconds', 'When the service was created.', ({ record }) => {
    return record.createdAtMs / 1000;
  }),
  perService('plimsoll_service_updated_timestamp_seconds', 'When the service was last changed.', ({ record }) => {
    return record.updatedAtMs / 1000;
  }),
  perService('plimsoll_service_revision', 'Revision the tasks should run.', ({ record }) => record.revision),
  perService('plimsoll_service_replicas_desired', 'Tasks wanted.', ({ desired }) => desired),
  perService('plimsoll_service_replicas_running', 'Tasks that run.', ({ tasks }) => countOf(tasks, isRunning)),
  perService(
    'plimsoll_service_replicas_ready',
    'Tasks that run and are healthy where there is a health check.',
    ({ tasks }) => countOf(tasks, isReady),
  ),
  perService('plimsoll_service_replicas_updated', 'Tasks that run the current revision.', ({ tasks, record }) =>
    countOf(tasks, (state) => isRunning(state) && state.task.revision === record.revision),
  ),
  gaugeFamily({
    name: 'plimsoll_service_tasks_pending',
    help: 'Tasks that fit no node, by reason; the sentence is in docker service ps.',
    labelNames: [...identity, 'reason'],
    samples: ({ services }) => services.flatMap(pendingByReason),
  }),
  gaugeFamily({
    name: 'plimsoll_service_update_state',
    help: '1 for the state of the last update of a service, 0 for the others; absent before the first update.',
    labelNames: [...identity, 'state'],
    samples: ({ services }) => services.flatMap(updateState),
  }),
];

function perService(name: string, help: string, valueOf: (service: ServiceState) => number): GaugeFamily {
  return gaugeFamily({
    name,
    help,
    labelNames: identity,
    samples: ({ services }) => services.map((service) => ({ labels: identify(service), value: valueOf(service) })),
  });
}

export function identify({ record }: ServiceState): Record<(typeof identity)[number], string> {
  return { service: record.spec.Name, stack: record.spec.Labels?.[containerLabels.stackNamespace] ?? '' };
}

function countOf(tasks: readonly TaskState[], matches: (state: TaskState) => boolean): number {
  return tasks.filter(matches).length;
}

function pendingByReason(service: ServiceState) {
  const byReason = groupBy(service.pending, ({ reason }) => pendingReason(reason));
  return [...byReason].map(([reason, slots]) => ({
    labels: { ...identify(service), reason },
    value: slots.length,
  }));
}

function updateState(service: ServiceState) {
  if (service.updateState === undefined) return [];
  return updateStates.map((state) => ({
    labels: { ...identify(service), state },
    value: state === service.updateState ? 1 : 0,
  }));
}
