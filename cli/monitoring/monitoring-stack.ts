/** Prometheus, Alertmanager and Grafana as a stack of the cluster: compose/monitoring.yml, deployed with the docker CLI. */
import { randomBytes } from 'node:crypto';
import { composeFile, revisionOf } from './monitoring-compose.ts';

export const MONITORING_STACK = 'monitoring';
export const GRAFANA_PORT = 3000;
export const GRAFANA_SERVICE = `${MONITORING_STACK}_grafana`;
const TOKEN_SECRET = 'plimsoll-alerts-token';
const PASSWORD_SECRET = 'plimsoll-grafana-password';

/** A docker CLI that speaks to the cluster: its output. `input` goes to its standard input. */
export type ClusterDocker = (
  args: readonly string[],
  more?: { readonly input?: string; readonly environment?: Readonly<Record<string, string>> },
) => Promise<string>;

export interface MonitoringParts {
  readonly docker: ClusterDocker;
  /** What Alertmanager shows at `/v1/alerts`. */
  readonly alertsToken: () => Promise<string>;
}

export interface Deployed {
  /** Of Grafana's user admin, when it was made now: it cannot be read again. */
  readonly newPassword: string | undefined;
}

/** Deploys the stack, or what changed of it. Its secrets are made when they are not there. */
export async function deployMonitoring({ docker, alertsToken }: MonitoringParts): Promise<Deployed> {
  const secrets = linesOf(await docker(['secret', 'ls', '--format', '{{.Name}}']));
  const create = (name: string, input: string) => docker(['secret', 'create', name, '-'], { input });
  if (!secrets.includes(TOKEN_SECRET)) await create(TOKEN_SECRET, await alertsToken());
  const newPassword = secrets.includes(PASSWORD_SECRET) ? undefined : randomBytes(12).toString('hex');
  if (newPassword !== undefined) await create(PASSWORD_SECRET, newPassword);
  const environment = { PLIMSOLL_MONITORING_REVISION: revisionOf(composeFile()) };
  await docker(['stack', 'deploy', '--compose-file', composeFile(), MONITORING_STACK], { environment });
  return { newPassword };
}

/**
 * Removes the stack and the token, which a later deployment takes anew. What Prometheus, Alertmanager and Grafana stored
 * stays in their volumes, and with it the password.
 */
export async function removeMonitoring({ docker }: Pick<MonitoringParts, 'docker'>): Promise<void> {
  await docker(['stack', 'rm', MONITORING_STACK]);
  const secrets = linesOf(await docker(['secret', 'ls', '--format', '{{.Name}}']));
  if (secrets.includes(TOKEN_SECRET)) await docker(['secret', 'rm', TOKEN_SECRET]);
}

export interface MonitoringService {
  readonly name: string;
  /** As "docker service ls" says it: `1/1`. */
  readonly replicas: string;
  readonly image: string;
}

export interface MonitoringStatus {
  readonly services: readonly MonitoringService[];
  /** Hostname of the node Grafana is on; undefined while it is on none. */
  readonly grafanaNode: string | undefined;
}

export async function monitoringStatus({ docker }: Pick<MonitoringParts, 'docker'>): Promise<MonitoringStatus> {
  const format = '{{.Name}}\t{{.Replicas}}\t{{.Image}}';
  const filter = `label=com.docker.stack.namespace=${MONITORING_STACK}`;
  const services = linesOf(await docker(['service', 'ls', '--filter', filter, '--format', format])).map((line) => {
    const [name = '', replicas = '', image = ''] = line.split('\t');
    return { name, replicas, image };
  });
  if (!services.some(({ name }) => name === GRAFANA_SERVICE)) return { services, grafanaNode: undefined };
  const running = ['--filter', 'desired-state=running', '--format', '{{.Node}}'];
  const [grafanaNode] = linesOf(await docker(['service', 'ps', ...running, GRAFANA_SERVICE]));
  return { services, grafanaNode };
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
