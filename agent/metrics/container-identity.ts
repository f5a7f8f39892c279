/** Who a container is, as the labels of its series say it. */
import { containerLabels } from '../../model/labels.ts';
import { labelText } from '../../runtime/label-text.ts';

/** What of a container goes into labels. */
export interface NamedContainer {
  readonly id: string;
  readonly name: string;
  /** As whoever created the container wrote it. */
  readonly image: string;
  /** Content address of the image, where it is known. */
  readonly imageId?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Docker labels that become labels of every series, those the common dashboards join on. All of them would widen every
 * series by whatever an image's author wrote (cAdvisor does that, and is asked how to turn it off).
 */
const shownLabels: readonly string[] = [
  containerLabels.swarmNodeId,
  containerLabels.swarmServiceId,
  containerLabels.swarmServiceName,
  containerLabels.swarmTaskId,
  containerLabels.swarmTaskName,
  containerLabels.stackNamespace,
  'com.docker.compose.project',
  'com.docker.compose.service',
  'org.label-schema.group',
];

/** Label of plimsoll_container_info -> Docker label it comes from. */
const infoLabels = {
  node_id: containerLabels.swarmNodeId,
  service: containerLabels.swarmServiceName,
  service_id: containerLabels.swarmServiceId,
  stack: containerLabels.stackNamespace,
  slot: containerLabels.slot,
  task: containerLabels.task,
  task_id: containerLabels.swarmTaskId,
  attempt: containerLabels.attempt,
  revision: containerLabels.revision,
} as const;

/** `id` is the cgroup's path, as in cAdvisor. */
export function identityLabels({ name, image, labels }: NamedContainer, cgroupPath: string): string {
  const shown = shownLabels.filter((label) => labels[label]);
  const ofDocker = shown.map((label) => [labelName(label), labels[label] ?? '']);
  return labelText({ id: cgroupPath, image, name, ...Object.fromEntries(ofDocker) });
}

/** What the series of a container do not say themselves, beside their identity; its size does not grow with labels. */
export function containerInfoLabels({ id, imageId, labels }: NamedContainer, nodeName: string): string {
  const known = Object.entries(infoLabels).map(([name, label]) => [name, labels[label]]);
  const present = known.filter(([, value]) => value);
  return labelText({
    container_id: id,
    ...(imageId && { image_id: imageId }),
    node_name: nodeName,
    ...Object.fromEntries(present),
  });
}

/** `com.docker.swarm.node.id` -> `container_label_com_docker_swarm_node_id`. */
function labelName(dockerLabel: string): string {
  return `container_label_${dockerLabel.replace(/[^a-zA-Z0-9_]/g, '_')}`;
}
