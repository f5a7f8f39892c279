/** Samples of containers as a page of Prometheus text. Pure. */
import { containerLabels } from '../../model/labels.ts';
import type { MeasuredContainer } from './container-metrics.ts';
import { containerMetrics, type Sample } from './metric-catalogue.ts';

export interface MeasuredSamples {
  readonly container: MeasuredContainer;
  readonly cgroupPath: string;
  readonly samples: readonly Sample[];
}

/**
 * Docker labels that become Prometheus labels, those the common dashboards use. All of them would widen every series
 * by whatever an image's author wrote (cAdvisor does that, and is asked how to turn it off).
 */
const shownLabels: readonly string[] = [
  containerLabels.swarmNodeId,
  containerLabels.swarmServiceId,
  containerLabels.swarmServiceName,
  containerLabels.swarmTask,
  containerLabels.swarmTaskId,
  containerLabels.swarmTaskName,
  containerLabels.stackNamespace,
  'com.docker.compose.project',
  'com.docker.compose.service',
  'org.label-schema.group',
];

/** The page; `durationSeconds` is how long the reading took. */
export function renderPage(measured: readonly MeasuredSamples[], durationSeconds: number): string {
  const lines = new Map<string, string[]>();
  for (const { container, cgroupPath, samples } of measured) {
    const identity = renderIdentity(container, cgroupPath);
    for (const sample of samples) {
      const line = `${sample.name}{${identity}${renderLabels(sample.labels)}} ${sample.value}`;
      const family = lines.get(sample.name);
      if (family) family.push(line);
      else lines.set(sample.name, [line]);
    }
  }
  const families = Object.entries(containerMetrics).flatMap(([name, { type, help }]) => {
    const family = lines.get(name);
    return family ? [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...family] : [];
  });
  return [...families, ...renderDuration(durationSeconds), ''].join('\n');
}

function renderDuration(seconds: number): string[] {
  const name = 'plimsoll_agent_scrape_collector_duration_seconds';
  return [
    `# HELP ${name} How long a part of this page took to read.`,
    `# TYPE ${name} gauge`,
    `${name}{collector="containers"} ${seconds}`,
  ];
}

function renderIdentity({ name, image, labels }: MeasuredContainer, cgroupPath: string): string {
  const identity = `id="${escapeValue(cgroupPath)}",image="${escapeValue(image)}",name="${escapeValue(name)}"`;
  const shown = shownLabels.filter((label) => labels[label]);
  return identity + shown.map((label) => `,${labelName(label)}="${escapeValue(labels[label] ?? '')}"`).join('');
}

/** `com.docker.swarm.node.id` -> `container_label_com_docker_swarm_node_id`. */
function labelName(dockerLabel: string): string {
  return `container_label_${dockerLabel.replace(/[^a-zA-Z0-9_]/g, '_')}`;
}

function renderLabels(labels: Readonly<Record<string, string>> = {}): string {
  return Object.entries(labels)
    .map(([name, value]) => `,${name}="${escapeValue(value)}"`)
    .join('');
}

function escapeValue(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}
