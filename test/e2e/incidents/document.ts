/** The table of incidents as docs/incidents.md shows it. */
import type { Incident } from './incident.ts';
import { afterPartition, whileNodesAreIll, whileNodesAreWell, whileNodesTakeNoTasks } from './table.ts';

export const incidents: readonly Incident[] = [
  ...whileNodesAreWell,
  ...whileNodesTakeNoTasks,
  ...whileNodesAreIll,
  ...afterPartition,
];

/** A section for each incident: its sentences as they are, and its series. */
export function incidentSections(): string {
  return incidents.map(section).join('\n');
}

function section({ name, refusal, error, why = error, metric }: Incident): string {
  const labels = Object.entries(metric.labels).map(([label, value]) => `${label}="${value}"`);
  const told = [
    ...(refusal === undefined ? [] : [['refused with', refusal]]),
    ...(error === '' ? [] : [['`docker service ps`', error]]),
    ...(why === error || refusal !== undefined ? [] : [['`plim why`', why]]),
  ];
  const lines = told.map(([where, words]) => `- ${where}: \`\`${words}\`\`\n`);
  return `### ${name}\n\n${lines.join('')}- metric: \`${metric.name}{${labels.join(',')}}\`\n`;
}
