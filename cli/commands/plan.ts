/** `plim plan`: what a change, or the loss of a node, would do, without doing it. */
import { type Command, Option } from 'commander';
import { NodeLoss } from '../../model/node-loss.ts';
import { type ServicePlan, StackPlan } from '../../model/stack-plan.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { createApiClient } from '../api-client.ts';
import { stackWish } from '../dry-run/stack-wish.ts';
import { formatNodeLoss, taskCount } from '../node-loss-table.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

const help = `
Asks the docker CLI of this host what "docker stack deploy" would send, and the cluster what would come of it: which
fields differ, which tasks restart, where tasks would go. Changes nothing. The placements are those of this moment; that a
secret's content is another than the stored one is not seen. Ends with 1 when a service would be refused or find no place.

With --lose: which tasks would find no other place if the node were lost now. Ends with 0 when all would, else with 1.

Examples:
  plim plan -c stack.yml shop
  plim plan -c stack.yml -c production.yml --prune shop
  plim plan --lose host-3
  for node in host-1 host-2 host-3; do plim plan --lose $node || exit 1; done`;

interface PlanOptions {
  readonly composeFile: readonly string[];
  readonly prune?: boolean;
  readonly lose?: string;
  readonly format: OutputFormat;
}

export function addPlanCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('plan')
    .description('say what deploying a stack would change, or what the loss of a node would')
    .argument('[stack]', "the stack's name")
    .option('-c, --compose-file <file>', 'the stack file, as for "docker stack deploy"; may be repeated', collect, [])
    .option('--prune', 'as if services no longer in the file were removed')
    .addOption(
      new Option('--lose <node>', 'as if this node, by name or id, were lost').conflicts(['composeFile', 'prune']),
    );
  addFormatOption(addSocketOption(command))
    .addHelpText('after', help)
    .action((stack: string | undefined, options: PlanOptions, given: Command) => {
      const { socket } = commonSettings(given);
      return options.lose === undefined
        ? planDeployment(terminal, socket, stack, options)
        : planLoss(terminal, socket, stack, { ...options, lose: options.lose });
    });
}

async function planDeployment(
  terminal: Terminal,
  socket: string,
  stack: string | undefined,
  { composeFile, prune, format }: PlanOptions,
): Promise<void> {
  if (stack === undefined || composeFile.length === 0) {
    const missing = stack === undefined ? 'the name of a stack' : 'its file (-c)';
    const wanted = '"plim plan -c stack.yml STACK" or "plim plan --lose NODE"';
    throw new PlimsollError('invalid', `Cannot plan without ${missing}: wanted is ${wanted}`);
  }
  const note = (line: string) => terminal.err(`${line}\n`);
  const wish = await stackWish({ stack, files: composeFile, prune: prune ?? false }, socket, note);
  const answer = await createApiClient(socket).post('/v1/plan', StackPlan, wish);
  print(terminal, format, answer, formatPlan);
  const refused = answer.services.filter(({ problems }) => problems.length > 0).length;
  if (refused > 0)
    throw new PlimsollError('precondition', `${refused} of ${answer.services.length} services would not run`);
}

async function planLoss(
  terminal: Terminal,
  socket: string,
  stack: string | undefined,
  { lose, format }: PlanOptions & { readonly lose: string },
): Promise<void> {
  if (stack !== undefined)
    throw new PlimsollError(
      'invalid',
      `Cannot use --lose with a stack ("${stack}"): it asks about the cluster as it is`,
    );
  const answer = await createApiClient(socket).get(`/v1/plan/loss/${encodeURIComponent(lose)}`, NodeLoss);
  print(terminal, format, answer, formatNodeLoss);
  const { length } = answer.homeless;
  if (length > 0)
    throw new PlimsollError('precondition', `${taskCount(length)} would find no place without ${answer.node.name}`);
}

function collect(file: string, files: readonly string[]): string[] {
  return [...files, file];
}

const signs: Readonly<Record<ServicePlan['change'], string>> = { create: '+', update: '~', remove: '-', none: ' ' };

export function formatPlan(plan: StackPlan): string {
  const made = (kind: string, names: readonly string[]) => names.map((name) => `+ ${kind} ${name}\n`);
  const objects = [...made('network', plan.networks), ...made('secret', plan.secrets), ...made('config', plan.configs)];
  return [...objects, ...plan.services.map(formatService), `${summaryOf(plan)}\n`].join('');
}

function formatService(service: ServicePlan): string {
  const facts = [
    ...service.problems,
    ...service.differences,
    ...(service.restarts > 0 ? [restartsOf(service)] : []),
    ...(service.placements.length > 0 ? [`new tasks: ${placesOf(service)}`] : []),
  ];
  const head = `${service.problems.length > 0 ? '!' : signs[service.change]} service ${service.name}\n`;
  return head + facts.map((fact) => `    ${fact}\n`).join('');
}

function restartsOf({ change, restarts, order }: ServicePlan): string {
  const tasks = `${restarts} task${restarts > 1 ? 's' : ''}`;
  return change === 'remove' ? `${tasks} end` : `${tasks} restart (${order})`;
}

function placesOf({ placements }: ServicePlan): string {
  return placements.map(({ node, tasks }) => `${tasks} on ${node}`).join(', ');
}

function summaryOf({ stack, services }: StackPlan): string {
  const count = (change: ServicePlan['change']) => services.filter((service) => service.change === change).length;
  const restarts = services.reduce((sum, service) => sum + service.restarts, 0);
  const counts = `${count('create')} to create, ${count('update')} to change, ${count('remove')} to remove, ${count('none')} unchanged`;
  return `Stack ${stack}: ${counts}; ${restarts} running task${restarts === 1 ? '' : 's'} affected.`;
}
