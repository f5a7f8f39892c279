/** `plim autoscale`: services that scale themselves. */
import type { Command } from 'commander';
import { z } from 'zod';
import { AutoscaleChange, AutoscaleChanged, AutoscaleView } from '../../model/autoscale-view.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

const help = `
Options are the service's labels without "plimsoll.autoscale.": a Compose file or "docker service create --label" sets
the same. The count the autoscaler decides on is not part of the specification: updates, rollbacks and "docker stack
deploy" leave it alone. "docker service scale" stands for the time of hold-off.
  min, max          bounds; min is 1 unless said, 0 only with query or nats
  cpu, memory       percent of what a replica reserves, else of its limit
  connections       new connections a second that a replica should get
  query, target     PromQL that answers one number, and how much of it one replica carries
  nats.stream, nats.consumer, nats.lag   messages that may wait for a consumer, per replica
  query-answers     total (unless said), or per-replica: the answer is a mean, the target what it should be
  mode              on, or advise: decide and tell only
  tolerance, warm-up, hold-off, up-window, down-window, up-steps, down-steps, up-cool-down, down-cool-down
`;

const examples = `
Examples:
  plim autoscale set web max=10 cpu=60%
  plim autoscale set web down-window=2m down-steps=1/30s mode=advise
  plim autoscale set web cpu- query='sum(rate(http_requests_total{job="web"}[30s]))' target=100
  plim autoscale set web --off`;

export function addAutoscaleCommand(program: Command, terminal: Terminal): void {
  const autoscale = program.command('autoscale').description('show and set how services scale themselves');
  autoscale.addHelpText('after', help);
  addList(autoscale, terminal);
  addShow(autoscale, terminal);
  addSet(autoscale, terminal);
}

function addList(autoscale: Command, terminal: Terminal): void {
  const list = autoscale.command('ls').description('list the services that scale themselves');
  addFormatOption(addSocketOption(list)).action(async ({ format }: { format: OutputFormat }, given: Command) => {
    const views = await clientOf(given).get('/v1/autoscale', z.array(AutoscaleView));
    print(terminal, format, views, formatAutoscaleList);
  });
}

function addShow(autoscale: Command, terminal: Terminal): void {
  const show = autoscale.command('show').description("show a service's loads and last decision");
  addFormatOption(addSocketOption(show.argument('<service>', "the service's name or id"))).action(
    async (service: string, { format }: { format: OutputFormat }, given: Command) => {
      const view = await clientOf(given).get(pathOf(service), AutoscaleView);
      print(terminal, format, view, formatAutoscale);
    },
  );
}

function addSet(autoscale: Command, terminal: Terminal): void {
  const set = autoscale
    .command('set')
    .description('set or remove options; its tasks run on')
    .argument('<service>', "the service's name or id")
    .argument('[options...]', 'name=value sets, name- removes')
    .option('--off', 'remove all: the count of the specification counts again');
  addSocketOption(set)
    .addHelpText('after', help + examples)
    .action(async (service: string, words: string[], { off }: { off?: true }, given: Command) => {
      const client = clientOf(given);
      const change = off ? await allOff(client, service, words) : changeOf(words);
      const { name, warnings } = await client.post(pathOf(service), AutoscaleChanged, change);
      for (const warning of warnings) terminal.err(`${warning}\n`);
      terminal.out(`${name}\n`);
    });
}

/** What `name=value` and `name-` ask for. */
export function changeOf(words: readonly string[]): AutoscaleChange {
  if (words.length === 0) throw new PlimsollError('invalid', 'Nothing to set: give options such as max=10 cpu=60%');
  const change = { set: {} as Record<string, string>, remove: [] as string[] };
  for (const word of words) {
    const [, name = '', value] = /^([a-z.-]+?)(?:=(.*)|-)$/s.exec(word) ?? [];
    if (name === '') throw new PlimsollError('invalid', `${word}: must be name=value, or name- to remove it`);
    if (value === undefined) change.remove.push(name);
    else change.set[name] = value;
  }
  return change;
}

async function allOff(client: ApiClient, service: string, words: readonly string[]): Promise<AutoscaleChange> {
  if (words.length > 0) throw new PlimsollError('invalid', '--off removes all options: give none beside it');
  const { options } = await client.get(pathOf(service), AutoscaleView);
  return { set: {}, remove: Object.keys(options) };
}

function clientOf(given: Command): ApiClient {
  return createApiClient(commonSettings(given).socket);
}

function pathOf(service: string): string {
  return `/v1/autoscale/${encodeURIComponent(service)}`;
}

export function formatAutoscaleList(views: readonly AutoscaleView[]): string {
  const rows = views.map((view) => [
    view.name,
    view.mode,
    `${view.min}-${view.max}`,
    `${view.ready}/${view.replicas}`,
    loadsOf(view),
    view.condition,
    view.reason,
  ]);
  return formatTable(['SERVICE', 'MODE', 'BOUNDS', 'READY', 'LOAD/TARGET', 'CONDITION', 'WHY'], rows);
}

function loadsOf({ readings }: AutoscaleView): string {
  const loads = readings.map(({ source, value, target }) => `${source} ${amount(value)}/${amount(target)}`);
  return loads.join(', ') || '--';
}

export function formatAutoscale(view: AutoscaleView): string {
  const decided = view.decidedAtMs === undefined ? '' : ` (${new Date(view.decidedAtMs).toISOString()})`;
  const held = view.heldUntilMs === undefined ? [] : [`left alone until ${new Date(view.heldUntilMs).toISOString()}`];
  const lines = [
    `${view.ready} of ${view.replicas} replicas ready, between ${view.min} and ${view.max}, mode ${view.mode}`,
    `${view.condition}: ${view.reason}${decided}`,
    ...held,
    ...view.readings.map(({ words, wanted }) => `${words}${wanted === undefined ? '' : `: ${wanted} wanted`}`),
    ...Object.entries(view.options).map(([name, value]) => `${name}=${value}`),
  ];
  return `service ${view.name} (${view.id})\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function amount(value: number | undefined): string {
  return value === undefined ? '--' : String(Number(value.toPrecision(3)));
}
