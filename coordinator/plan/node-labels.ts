/** The operator's labels of a node travel with an assignment to it where the service's templates ask for them. Pure. */
import type { NodeSpecRecord } from '../../model/node-record.ts';
import type { Mount, TaskTemplate } from '../../model/service-spec.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { usesNodeLabels } from '../../runtime/task-template.ts';
import type { Action, Plan } from './actions.ts';

type NodeLabels = (nodeId: string) => NodeSpecRecord['labels'] | undefined;

/** The plan with the labels of their nodes in the new tasks that use them; a task keeps those it was made with. */
export function withNodeLabels(made: Plan, labelsOf: NodeLabels): Plan {
  const needsLabels = made.chains.some((chain) => chain.some(isMakingUser));
  if (!needsLabels) return made;
  const chains = made.chains.map((chain) => chain.map((action) => labelled(action, labelsOf)));
  return { ...made, chains };
}

function labelled(action: Action, labelsOf: NodeLabels): Action {
  if (!isMakingUser(action)) return action;
  const record: TaskRecord = { ...action.record, nodeLabels: labelsOf(action.record.nodeId) ?? {} };
  return { ...action, record };
}

function isMakingUser(action: Action): action is Extract<Action, { kind: 'create-task' }> {
  return action.kind === 'create-task' && templateTexts(action.record.template).some(usesNodeLabels);
}

/** Every text of a task that may hold placeholders. */
export function templateTexts(template: TaskTemplate): string[] {
  const { Env = [], Hostname = '', Mounts = [] } = template.ContainerSpec;
  return [...Env, Hostname, ...Mounts.flatMap(mountTexts)];
}

function mountTexts({ Source = '', Target = '', VolumeOptions }: Mount): string[] {
  const { Labels = {}, DriverConfig } = VolumeOptions ?? {};
  return [Source, Target, ...Object.values(Labels), ...Object.values(DriverConfig?.Options ?? {})];
}
