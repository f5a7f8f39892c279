/** `plim status`: the cluster on one page. */
import type { Command } from 'commander';
import { ClusterStatus, type DamagedRecord, type NodeSummary, type ServiceSummary } from '../../model/native-api.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

/** Tasks shown of a node that is drained. */
const MOST_DRAINED = 10;

export function addStatusCommand(program: Command, terminal: Terminal): void {
  const command = program.command('status').description('show the cluster, its nodes and its services');
  addFormatOption(addSocketOption(command))
    .addHelpText('after', '\nExamples:\n  plim status\n  plim status --format json | jq .services')
    .action(async ({ format }: { format: OutputFormat }, given: Command) => {
      const status = await createApiClient(commonSettings(given).socket).get('/v1/status', ClusterStatus);
      print(terminal, format, status, (answer) => formatStatus(answer, terminal.colors));
    });
}

/** The page for people. */
export function formatStatus(status: ClusterStatus, colors: Terminal['colors']): string {
  const leader = status.leader ? `${status.leader.hostname} (epoch ${status.leader.epoch})` : colors.red('none');
  const head = [
    `Cluster:  ${status.clusterId}`,
    `Leader:   ${leader}`,
    `Bus:      ${status.busConnected ? 'connected' : colors.red('not connected')}`,
    `State:    ${status.stateCurrent ? 'current' : colors.yellow('may be old: this coordinator is catching up')}`,
    `Version:  ${status.version}`,
  ].join('\n');
  const tables = `${nodeTable(status.nodes, colors)}\n${serviceTable(status.services, colors)}`;
  const troubles = `${drainTable(status.drains, colors)}${warningTable(status.networkWarnings, colors)}${damageTable(status.damagedRecords, colors)}`;
  return `${head}\n\n${tables}${troubles}`;
}

/** Nothing while no drained node has tasks. */
function drainTable(drains: ClusterStatus['drains'], colors: Terminal['colors']): string {
  if (drains.length === 0) return '';
  const rows = drains.flatMap(({ node, left, homeless }) => {
    const waiting = left.map(({ task, waitsFor }) => [colors.yellow(node), task, `waits for ${waitsFor}`]);
    const lost = homeless.map(({ task, reason }) => [colors.yellow(node), task, `runs nowhere: ${reason}`]);
    const all = [...waiting, ...lost];
    const more = all.length - MOST_DRAINED;
    return more > 0 ? [...all.slice(0, MOST_DRAINED), [node, `and ${more} more`, `plim why ${node}`]] : all;
  });
  return `\n${formatTable(['DRAINED', 'STILL THERE', 'WHY'], rows)}`;
}

/** Nothing while all is well. */
function warningTable(warnings: ClusterStatus['networkWarnings'], colors: Terminal['colors']): string {
  if (warnings.length === 0) return '';
  const rows = warnings.map(({ node, says, advice }) => [colors.yellow(node), says, advice]);
  return `\n${formatTable(['NETWORKS ON', 'WHAT IS WRONG', 'WHAT TO DO'], rows)}`;
}

/** Nothing while all is well. */
function damageTable(records: readonly DamagedRecord[], colors: Terminal['colors']): string {
  if (records.length === 0) return '';
  const rows = records.map(({ bucket, key, problem, advice }) => [colors.red(`${bucket} ${key}`), problem, advice]);
  return `\n${formatTable(['DAMAGED RECORD', 'WHY', 'KEPT AND NOT ACTED ON; WHAT TO DO'], rows)}`;
}

function nodeTable(nodes: readonly NodeSummary[], colors: Terminal['colors']): string {
  const rows = nodes.map((node) => [
    node.hostname,
    node.state === 'ready' ? colors.green('ready') : colors.red(node.state),
    node.availability,
    node.managerStatus === 'unreachable' ? colors.red(node.managerStatus) : node.managerStatus,
    node.address,
    String(node.runningTasks),
    node.engineVersion,
    node.state === 'ready' ? '' : node.message,
  ]);
  return formatTable(['NODE', 'STATE', 'AVAILABILITY', 'MANAGER', 'ADDRESS', 'TASKS', 'ENGINE', 'WHY'], rows);
}

function serviceTable(services: readonly ServiceSummary[], colors: Terminal['colors']): string {
  if (services.length === 0) return 'No services yet: docker service create --name web IMAGE\n';
  const rows = services.map((service) => {
    const counts = `${service.ready}/${service.desired}`;
    return [
      service.name,
      service.mode,
      service.ready >= service.desired ? colors.green(counts) : colors.yellow(counts),
      service.image,
      service.update,
      service.problem,
    ];
  });
  return formatTable(['SERVICE', 'MODE', 'READY', 'IMAGE', 'UPDATE', 'WHY'], rows);
}
