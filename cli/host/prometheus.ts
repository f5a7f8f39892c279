/** Prometheus' configuration for this cluster. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlimsollError } from '../../runtime/errors.ts';
import { packageRoot } from '../../runtime/version.ts';

/** The address in the committed file that a cluster's own replaces. */
const PLACEHOLDER = 'http://127.0.0.1:7700/';

const RULES = 'plimsoll.rules.yml';

export interface PrometheusPeers {
  readonly coordinatorUrl: string;
  /** Where alerts are sent; undefined: nowhere. */
  readonly alertmanagerUrl: string | undefined;
}

/**
 * Writes `<state-dir>/prometheus/prometheus.yml` and the rules beside it; answers a hash of both, which changes when Prometheus
 * must restart.
 */
export function writePrometheusConfig(stateDir: string, peers: PrometheusPeers): string {
  const template = readFileSync(join(packageRoot(), 'prometheus', 'prometheus.yml'), 'utf8');
  if (!template.includes(PLACEHOLDER)) {
    throw new PlimsollError('internal', `prometheus/prometheus.yml does not name ${PLACEHOLDER}: nothing to replace`);
  }
  const scraping = template.replaceAll(PLACEHOLDER, `${peers.coordinatorUrl}/`);
  const text = `${scraping}\nrule_files: [${RULES}]\n${alertingOf(peers)}`;
  const rules = readFileSync(join(packageRoot(), 'prometheus', RULES), 'utf8');
  const directory = join(stateDir, 'prometheus');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, 'prometheus.yml'), text);
  writeFileSync(join(directory, RULES), rules);
  return createHash('sha256').update(text).update(rules).digest('hex').slice(0, 12);
}

function alertingOf({ alertmanagerUrl }: PrometheusPeers): string {
  if (alertmanagerUrl === undefined) return '';
  const { protocol, host, pathname } = new URL(alertmanagerUrl);
  const manager = { scheme: protocol.slice(0, -1), path_prefix: pathname, static_configs: [{ targets: [host] }] };
  return `alerting: ${JSON.stringify({ alertmanagers: [manager] })}\n`;
}
