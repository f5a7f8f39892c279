/** What a row of the table of incidents says: how one comes about, and what is told of it where. */
import { createApiClient } from '../../../cli/api-client.ts';
import { WhyAnswer } from '../../../model/native-api.ts';
import { type Cluster, linesOf } from '../../support/cluster.ts';
import { metricValue, scrape } from '../../support/prometheus-text.ts';

export interface Incident {
  /** What happened, for people. */
  readonly name: string;
  /** The service it happens to. */
  readonly service: string;
  /** What follows `docker service create --name SERVICE`. */
  readonly create: readonly string[];
  /** What makes it go wrong once the service is made; answers with what a client was told against it, if anything. */
  readonly befall?: (cluster: Cluster) => Promise<string>;
  /** Where it is refused before anything is written: what the client is told. */
  readonly refusal?: string;
  /** In the ERROR column of `docker service ps`; empty where nothing is wrong with the service. */
  readonly error: string;
  /** A line of `plim why SERVICE`, where it is not the same; other words may follow after a semicolon. */
  readonly why?: string;
  readonly metric: Metric;
}

/** A counter that grows, or a gauge that is not 0. */
export interface Metric {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is told of a service, without what differs from run to run. */
export interface Telling {
  readonly errors: readonly string[];
  readonly why: readonly string[];
}

export async function tellingOf(cluster: Cluster, service: string): Promise<Telling> {
  const shown = await cluster.docker('service', 'ps', '--no-trunc', '--format', '{{.Error}}', service);
  const { facts, parts } = await createApiClient(cluster.lab.clusterSocket).get(`/v1/why/${service}`, WhyAnswer);
  return {
    errors: linesOf(shown).map((error) => comparable(error.replace(/^"|"$/g, ''))),
    why: [...facts, ...parts.map(({ reason }) => reason)].map(comparable),
  };
}

/** Whether a line is this sentence, alone or before others. */
export function says(lines: readonly string[], sentence: string): boolean {
  return lines.some((line) => line === sentence || line.startsWith(`${sentence}; `));
}

/** Without ids, addresses of containers, where the lab keeps a host, and how often something was tried again. */
export function comparable(text: string): string {
  return text
    .replace(/\b([0-9a-z]{25}|[0-9a-f]{64})\b/g, '<id>')
    .replace(/^restarted (once|\d+ times), last after: /, '')
    .replace(/\b172(\.\d+){3}\b/g, '<address>')
    .replace(/\/var\/lib\/plimsoll-\w+\/h\d\b/g, '<host>');
}

/** Every page of metrics of the cluster that is answered, one after the other. */
export async function metricPages({ lab }: Cluster): Promise<string> {
  const urls = [`${lab.plimUrl}/metrics`, ...lab.hosts.map(({ address }) => `http://${address}:7701/metrics`)];
  const pages = await Promise.allSettled(urls.map(scrape));
  return pages.map((page) => (page.status === 'fulfilled' ? page.value : '')).join('\n');
}

/** Counters count what happened before, too. */
export function isMeasured({ name, labels }: Metric, before: string, now: string): boolean {
  const known = name.endsWith('_total') ? metricValue(before, name, labels) : 0;
  return metricValue(now, name, labels) > known;
}
