/** `plim monitoring`: Prometheus, Alertmanager and Grafana on the cluster they watch. */
import type { Command } from 'commander';
import { AlertTokenAnswer } from '../../model/alert-view.ts';
import { ClusterStatus } from '../../model/native-api.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import { clusterDocker } from '../docker-cli.ts';
import {
  deployMonitoring,
  GRAFANA_PORT,
  MONITORING_STACK,
  type MonitoringStatus,
  monitoringStatus,
  removeMonitoring,
} from '../monitoring/monitoring-stack.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

const help = `
Deploys compose/monitoring.yml of this package with "docker stack deploy", as the stack ${MONITORING_STACK}. Images are those the
file names; PLIMSOLL_PROMETHEUS_IMAGE, PLIMSOLL_ALERTMANAGER_IMAGE and PLIMSOLL_GRAFANA_IMAGE name others. Where no image can
be pulled, Prometheus runs as a program: plim up --prometheus.`;

export function addMonitoringCommand(program: Command, terminal: Terminal): void {
  const monitoring = program
    .command('monitoring')
    .description('run Prometheus, Alertmanager and Grafana on the cluster');
  monitoring.addHelpText('after', help);
  addSocketOption(monitoring.command('up').description('deploy them, or what changed of them')).action(
    (_flags: unknown, given: Command) => up(given, terminal),
  );
  addSocketOption(
    monitoring.command('down').description('remove them; what they stored stays in their volumes'),
  ).action(async (_flags: unknown, given: Command) => {
    await removeMonitoring({ docker: clusterDocker(commonSettings(given).socket) });
    terminal.out(`The stack ${MONITORING_STACK} is removed.\n`);
  });
  const status = monitoring.command('status').description('show how they are, and where Grafana is');
  addFormatOption(addSocketOption(status)).action(async ({ format }: { format: OutputFormat }, given: Command) => {
    const { socket } = commonSettings(given);
    const found = await monitoringStatus({ docker: clusterDocker(socket) });
    const grafana = await grafanaUrl(found, createApiClient(socket));
    print(terminal, format, { ...found, grafana }, formatMonitoring);
  });
}

async function up(given: Command, terminal: Terminal): Promise<void> {
  const { socket } = commonSettings(given);
  const client = createApiClient(socket);
  const alertsToken = async () => (await client.get('/v1/alerts/token', AlertTokenAnswer)).token;
  const { newPassword } = await deployMonitoring({ docker: clusterDocker(socket), alertsToken });
  terminal.out(`The stack ${MONITORING_STACK} is deployed. How it is, and where Grafana: plim monitoring status\n`);
  if (newPassword === undefined) return;
  terminal.out(`Grafana's user is admin, the password ${newPassword} (it is not shown again).\n`);
}

async function grafanaUrl({ grafanaNode }: MonitoringStatus, client: ApiClient): Promise<string | undefined> {
  if (grafanaNode === undefined) return undefined;
  const { nodes } = await client.get('/v1/status', ClusterStatus);
  const node = nodes.find(({ hostname }) => hostname === grafanaNode);
  return node && `http://${node.address}:${GRAFANA_PORT}`;
}

/** For people. */
export function formatMonitoring({ services, grafana }: MonitoringStatus & { grafana: string | undefined }): string {
  if (services.length === 0) return 'Not deployed. Deploy it: plim monitoring up\n';
  const rows = services.map(({ name, replicas, image }) => [name, replicas, image]);
  const place = grafana === undefined ? 'Grafana is on no node yet' : `Grafana: ${grafana}`;
  return `${formatTable(['SERVICE', 'REPLICAS', 'IMAGE'], rows)}${place}\n`;
}
