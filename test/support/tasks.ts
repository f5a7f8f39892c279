/** Tasks and containers for tests of the agent: valid, small, and as the test says. */
import type { ObservedContainer } from '../../agent/plan/observed-container.ts';
import type { ContainerSpec } from '../../model/service-spec.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { derivedId } from '../../runtime/identifiers.ts';

export interface TaskWords extends Partial<Omit<TaskRecord, 'template'>> {
  readonly name?: string;
  readonly container?: Partial<ContainerSpec>;
  readonly template?: Partial<TaskRecord['template']>;
}

/** The assignment of a task `<name>.<slot>`; its ids follow from the name and slot. */
export function aTask({ name = 'web', slot = 1, container, template, ...rest }: TaskWords = {}): TaskRecord {
  return {
    v: 1,
    epoch: 1,
    id: derivedId('task', name, slot),
    serviceId: derivedId('service', name),
    serviceName: name,
    serviceLabels: {},
    slot,
    nodeId: derivedId('node', 1),
    revision: 1,
    desired: 'running',
    template: {
      ...template,
      ContainerSpec: { Image: 'plimsoll/test:1', Args: ['sleep', '1000000'], StopGracePeriod: 0, ...container },
    },
    ports: [],
    replaceAttempt: 0,
    priorFailures: 0,
    reason: 'a test asked for it',
    createdAtMs: 0,
    ...rest,
  };
}

/** A running container of the task's attempt 1, or as given. */
export function aContainer(task: TaskRecord, given: Partial<ObservedContainer> = {}): ObservedContainer {
  const attempt = given.attempt ?? 1;
  return {
    id: `container-${task.slot}-${attempt}`,
    name: `${task.serviceName}.${task.slot}.${attempt}`,
    taskId: task.id,
    serviceId: task.serviceId,
    slot: task.slot,
    revision: task.revision,
    attempt,
    image: task.template.ContainerSpec.Image,
    labels: {},
    phase: 'running',
    health: 'none',
    pid: 4711,
    address: '172.17.0.2',
    exitCode: 0,
    oomKilled: false,
    error: '',
    startedAtMs: 1_000,
    finishedAtMs: undefined,
    ...given,
  };
}
