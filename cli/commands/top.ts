/** `plim top`: what uses the cluster's processors and memory, now. */
import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { CallUsage, NodeUsage, ServiceUsage, TaskUsageRow } from '../../model/native-api.ts';
import { systemClock } from '../../runtime/clock.ts';
import { type ApiClient, createApiClient } from '../api-client.ts';
import { showLive } from '../live-page.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';
import { callTable, nodeTable, serviceTable, taskTable } from '../usage-tables.ts';

/** Nodes say as often what they use. */
const PERIOD_MS = 2_000;

const kinds = ['nodes', 'services', 'tasks', 'calls'] as const;
type Kind = (typeof kinds)[number];

interface TopOptions {
  readonly format: OutputFormat;
  readonly stream: boolean;
}

const notes = `
On a terminal it stays and refreshes every 2 s until Ctrl-C; into a pipe or file, and with --format json, it prints once.
CPU % of a task or service: 100 % is one core, as in docker stats. Of a node: 100 % is all its cores.
CONN/S: connections begun to it each second, whoever begins them; "calls" says which service does.
"--" is what is not known: no limit is set, or nothing was heard of the node for 10 s.

Examples:
  plim top
  plim top tasks
  plim top services --no-stream
  plim top calls
  plim top tasks --format json | jq '.[] | select(.node == "host-2")'`;

export function addTopCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('top')
    .description('show what nodes, services or tasks use, and which services call which, the busiest first')
    .addArgument(new Argument('[kind]', 'of what').choices(kinds).default('nodes'))
    .option('--no-stream', 'print once');
  addFormatOption(addSocketOption(command))
    .addHelpText('after', notes)
    .action(async (kind: Kind, { format, stream }: TopOptions, given: Command) => {
      const client = createApiClient(commonSettings(given).socket);
      if (format === 'json') return printJson(client, kind, terminal);
      const page = () => tableOf(client, kind, terminal.colors);
      if (stream && terminal.screenSize()) await watch(terminal, page);
      else terminal.out(await page());
    });
}

const answers = {
  nodes: z.array(NodeUsage),
  services: z.array(ServiceUsage),
  tasks: z.array(TaskUsageRow),
  calls: z.array(CallUsage),
} as const;

async function printJson(client: ApiClient, kind: Kind, terminal: Terminal): Promise<void> {
  const rows = await client.get<unknown[]>(`/v1/usage/${kind}`, answers[kind]);
  print(terminal, 'json', rows, () => '');
}

async function tableOf(client: ApiClient, kind: Kind, colors: Terminal['colors']): Promise<string> {
  switch (kind) {
    case 'nodes':
      return nodeTable(await client.get('/v1/usage/nodes', answers.nodes), colors);
    case 'services':
      return serviceTable(await client.get('/v1/usage/services', answers.services));
    case 'tasks':
      return taskTable(await client.get('/v1/usage/tasks', answers.tasks), colors);
    case 'calls':
      return callTable(await client.get('/v1/usage/calls', answers.calls));
  }
}

async function watch(terminal: Terminal, page: () => Promise<string>): Promise<void> {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stopping.abort());
  await showLive(terminal, { page, periodMs: PERIOD_MS, clock: systemClock }, stopping.signal);
}
