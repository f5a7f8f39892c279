/** Prometheus' configuration for this cluster. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlimsollError } from '../../runtime/errors.ts';
import { packageRoot } from '../../runtime/version.ts';

/** The address in the committed file that a cluster's own replaces. */
const PLACEHOLDER = 'http://127.0.0.1:7700/';

/** Writes `<state-dir>/prometheus/prometheus.yml`; answers a hash of it, which changes when Prometheus must restart. */
export function writePrometheusConfig(stateDir: string, coordinatorUrl: string): string {
  const template = readFileSync(join(packageRoot(), 'prometheus', 'prometheus.yml'), 'utf8');
  if (!template.includes(PLACEHOLDER)) {
    throw new PlimsollError('internal', `prometheus/prometheus.yml does not name ${PLACEHOLDER}: nothing to replace`);
  }
  const text = template.replaceAll(PLACEHOLDER, `${coordinatorUrl}/`);
  const directory = join(stateDir, 'prometheus');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, 'prometheus.yml'), text);
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
