/** `plim monitoring`: Prometheus, Alertmanager and Grafana on the cluster they watch. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { z } from 'zod';
import { AlertTokenAnswer } from '../../model/alert-view.ts';
import { ClusterStatus } from '../../model/native-api.ts';
import { systemClock } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import { clusterDocker } from '../docker-cli.ts';
import { unitHostOf } from '../host/this-host.ts';
import { claimForHost, nativeHost, refuseBesideHost, releaseFromHost } from '../monitoring/monitoring-place.ts';
import {
  deployMonitoring,
  GRAFANA_PORT,
  MONITORING_STACK,
  type MonitoringStatus,
  monitoringStatus,
  removeMonitoring,
} from '../monitoring/monitoring-stack.ts';
import {
  type NativeGrafana,
  type NativeParts,
  type NativeStatus,
  nativeDown,
  nativeStatus,
  nativeUnits,
  nativeUp,
} from '../monitoring/native-monitoring.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { requireRoot } from '../require-root.ts';
import {
  AbsolutePath,
  addSocketOption,
  addStateDirOption,
  type CommonSettings,
  commonSettings,
  DEFAULT_SOCKET,
  DEFAULT_STATE_DIR,
  Switch,
  settingsOf,
} from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

const MonitoringSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  socket: AbsolutePath.default(DEFAULT_SOCKET),
  native: Switch.default(false),
  purge: Switch.default(false),
  prometheusProgram: z.string().optional(),
  alertmanagerProgram: z.string().optional(),
  grafanaProgram: z.string().optional(),
});
type MonitoringSettings = z.infer<typeof MonitoringSettings>;

const help = `
Deploys compose/monitoring.yml of this package with "docker stack deploy", as the stack ${MONITORING_STACK}. Images are those the
file names; PLIMSOLL_PROMETHEUS_IMAGE, PLIMSOLL_ALERTMANAGER_IMAGE and PLIMSOLL_GRAFANA_IMAGE name others.

Where no image can be pulled: --native, on a host with a coordinator, runs the programs of Debian's packages prometheus and
prometheus-alertmanager, and Grafana where its package is installed, with the same configuration at the same ports.`;

export function addMonitoringCommand(program: Command, terminal: Terminal): void {
  const monitoring = program
    .command('monitoring')
    .description('run Prometheus, Alertmanager and Grafana on the cluster');
  monitoring.addHelpText('after', help);
  addPlaceOptions(monitoring.command('up').description('deploy them, or what changed of them'))
    .option('--native', 'as programs of this host, not as a stack')
    .option('--prometheus-program <program>', 'with --native: this Prometheus (default: the one on the PATH)')
    .option('--alertmanager-program <program>', 'with --native: this Alertmanager (default: the one on the PATH)')
    .option('--grafana-program <program>', "with --native: this bin/grafana (default: its package's, if installed)")
    .action((_flags: unknown, given: Command) => up(settingsOf(MonitoringSettings, given), terminal));
  addPlaceOptions(monitoring.command('down').description('remove them; what they stored stays'))
    .option('--native', 'those that run as programs of this host')
    .option('--purge', 'with --native: what they stored goes too')
    .action((_flags: unknown, given: Command) => down(settingsOf(MonitoringSettings, given), terminal));
  const status = monitoring.command('status').description('show how they are, and where');
  addFormatOption(addPlaceOptions(status)).action(({ format }: { format: OutputFormat }, given: Command) =>
    showStatus(commonSettings(given), format, terminal),
  );
}

function addPlaceOptions(command: Command): Command {
  return addSocketOption(addStateDirOption(command));
}

async function up(settings: MonitoringSettings, terminal: Terminal): Promise<void> {
  await (settings.native ? upAsPrograms(settings, terminal) : upAsStack(settings, terminal));
}

async function readAlertsToken(client: ApiClient): Promise<string> {
  return (await client.get('/v1/alerts/token', AlertTokenAnswer)).token;
}

async function upAsStack(settings: MonitoringSettings, terminal: Terminal): Promise<void> {
  refuseProgramsNamed(settings);
  const client = createApiClient(settings.socket);
  if ((await nativeUnits(unitHostOf(settings.stateDir))).length > 0) {
    const advice = 'Stop them: plim monitoring down --native. Or bring those up to date: plim monitoring up --native';
    throw new PlimsollError('conflict', `Cannot deploy the stack: programs of this host have its ports. ${advice}`);
  }
  await refuseBesideHost(client);
  const alertsToken = () => readAlertsToken(client);
  const { newPassword } = await deployMonitoring({ docker: clusterDocker(settings.socket), alertsToken });
  terminal.out(`The stack ${MONITORING_STACK} is deployed. How it is, and where Grafana: plim monitoring status\n`);
  if (newPassword === undefined) return;
  terminal.out(`Grafana's user is admin, the password ${newPassword} (it is not shown again).\n`);
}

/** A stack runs images: a program named for nothing would mislead. */
function refuseProgramsNamed({ prometheusProgram, alertmanagerProgram, grafanaProgram }: MonitoringSettings): void {
  const programs = { prometheus: prometheusProgram, alertmanager: alertmanagerProgram, grafana: grafanaProgram };
  const [named] = Object.entries(programs).filter(([, program]) => program !== undefined);
  if (named) throw new PlimsollError('invalid', `--${named[0]}-program needs --native: a stack runs images`);
}

async function upAsPrograms(settings: MonitoringSettings, terminal: Terminal): Promise<void> {
  requireRoot('start programs of this host');
  const { prometheusProgram, alertmanagerProgram, grafanaProgram } = settings;
  const named = { prometheus: prometheusProgram, alertmanager: alertmanagerProgram, grafana: grafanaProgram };
  const parts = nativeParts(settings, terminal, 'up');
  const client = createApiClient(settings.socket);
  const claim = () => claimForHost(client, hostname());
  const grafana = await nativeUp(named, { claim, alertsToken: () => readAlertsToken(client) }, parts);
  terminal.out(`${formatPrograms(await nativeStatus(parts.units))}${formatGrafana(grafana)}`);
}

/** For people. */
export function formatGrafana(grafana: NativeGrafana): string {
  if ('absence' in grafana) return `${grafana.absence}\n`;
  const { passwordPath, newPassword } = grafana;
  if (newPassword === undefined) return `Grafana's user is admin, the password is in ${passwordPath}.\n`;
  return `Grafana's user is admin, the password ${newPassword} (also in ${passwordPath}).\n`;
}

async function down(settings: MonitoringSettings, terminal: Terminal): Promise<void> {
  const { native, purge, socket } = settings;
  if (native) {
    requireRoot('stop programs of this host');
    const parts = nativeParts(settings, terminal, 'down');
    await nativeDown(parts, purge);
    await release(createApiClient(socket), parts.note);
    terminal.out(purge ? 'Stopped, and what they stored is gone.\n' : 'Stopped; what they stored stays.\n');
    return;
  }
  if (purge) {
    const advice = 'the volumes of the stack are removed on their node: docker volume ls --filter name=monitoring_';
    throw new PlimsollError('invalid', `--purge needs --native: ${advice}`);
  }
  await removeMonitoring({ docker: clusterDocker(socket) });
  terminal.out(`The stack ${MONITORING_STACK} is removed.\n`);
}

/** A cluster that is down keeps nobody from stopping them. */
async function release(client: ApiClient, note: (line: string) => void): Promise<void> {
  await releaseFromHost(client, hostname()).catch((error) =>
    note(`the cluster was not told that they are stopped, do it again when it is up: ${messageOf(error)}`),
  );
}

function nativeParts({ stateDir }: MonitoringSettings, terminal: Terminal, verb: string): NativeParts {
  const note = (line: string) => terminal.err(`${verb}: ${line}\n`);
  return { units: unitHostOf(stateDir), clock: systemClock, stateDir, note };
}

async function showStatus(
  { stateDir, socket }: CommonSettings,
  format: OutputFormat,
  terminal: Terminal,
): Promise<void> {
  const units = unitHostOf(stateDir);
  // They have the stack's ports: it cannot be here too.
  if ((await nativeUnits(units)).length > 0) {
    requireRoot('look at programs of root');
    const programs = await nativeStatus(units);
    return print(terminal, format, { programs }, (shown) => formatPrograms(shown.programs));
  }
  const client = createApiClient(socket);
  const found = await monitoringStatus({ docker: clusterDocker(socket) });
  const grafana = await grafanaUrl(found, client);
  print(terminal, format, { ...found, grafana, nativeHost: await nativeHost(client) }, formatMonitoring);
}

async function grafanaUrl({ grafanaNode }: MonitoringStatus, client: ApiClient): Promise<string | undefined> {
  if (grafanaNode === undefined) return undefined;
  const { nodes } = await client.get('/v1/status', ClusterStatus);
  const node = nodes.find(({ hostname }) => hostname === grafanaNode);
  return node && `http://${node.address}:${GRAFANA_PORT}`;
}

interface ShownMonitoring extends MonitoringStatus {
  readonly grafana: string | undefined;
  /** The host whose programs they are, if another's. */
  readonly nativeHost: string | undefined;
}

/** For people. */
export function formatMonitoring({ services, grafana, nativeHost: host }: ShownMonitoring): string {
  if (services.length === 0 && host !== undefined) {
    return `They run as programs of ${host}. How they are, there: plim monitoring status\n`;
  }
  if (services.length === 0) return 'Not deployed. Deploy it: plim monitoring up\n';
  const rows = services.map(({ name, replicas, image }) => [name, replicas, image]);
  const place = grafana === undefined ? 'Grafana is on no node yet' : `Grafana: ${grafana}`;
  return `${formatTable(['SERVICE', 'REPLICAS', 'IMAGE'], rows)}${place}\n`;
}

/** For people. */
export function formatPrograms(programs: readonly NativeStatus[]): string {
  const rows = programs.map(({ name, url, problem }) => [name, problem ?? 'ready', url]);
  return formatTable(['PROGRAM', 'STATE', 'URL'], rows);
}
