/** How each part of the agent's page fared: one pair of series per collector, as node_exporter tells of its own. Pure. */

export interface CollectorRun {
  readonly collector: string;
  readonly success: boolean;
  readonly durationSeconds: number;
}

const SUCCESS = 'plimsoll_agent_scrape_collector_success';
const DURATION = 'plimsoll_agent_scrape_collector_duration_seconds';

/** Prometheus text; for all collectors of a page at once, because a family may appear only once. */
export function renderCollectorRuns(runs: readonly CollectorRun[]): string {
  return [
    `# HELP ${SUCCESS} 1 if a part of this page could be read; a source this host does not have is no failure.`,
    `# TYPE ${SUCCESS} gauge`,
    ...runs.map(({ collector, success }) => `${SUCCESS}{collector="${collector}"} ${success ? 1 : 0}`),
    `# HELP ${DURATION} How long a part of this page took to read.`,
    `# TYPE ${DURATION} gauge`,
    ...runs.map(({ collector, durationSeconds }) => `${DURATION}{collector="${collector}"} ${durationSeconds}`),
    '',
  ].join('\n');
}
