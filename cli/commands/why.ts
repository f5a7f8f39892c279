/** `plim why`: the reasons the cluster recorded. */
import type { Command } from 'commander';
import { WhyAnswer } from '../../model/native-api.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { formatPlacement } from '../placement-text.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

const help = `
The reasons recorded so far; for a service, and for a task that waits, also what placement says of each node now: why not,
with the numbers, or what it is compared by. FAILS: the service failed there often in the last 5 minutes. COPIES: its tasks
there. BUSY: how busy the node was measured to be. TASKS: of all services. RESERVED: of processors or memory, the larger
share. IMAGE: whether a task has brought the image.

Examples:
  plim why web
  plim why web.2
  plim why host-2
  plim why web --format json`;

export function addWhyCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('why')
    .description('say why a service, task or node is as it is')
    .argument('<name>', 'a name or id: web, web.1, host-2');
  addFormatOption(addSocketOption(command))
    .addHelpText('after', help)
    .action(async (name: string, { format }: { format: OutputFormat }, given: Command) => {
      const client = createApiClient(commonSettings(given).socket);
      const answer = await client.get(`/v1/why/${encodeURIComponent(name)}`, WhyAnswer);
      print(terminal, format, answer, formatWhy);
    });
}

export function formatWhy(answer: WhyAnswer): string {
  const head = `${answer.kind} ${answer.name} (${answer.id})\n${answer.facts.map((fact) => `  ${fact}\n`).join('')}`;
  const rows = answer.parts.map((part) => [part.name, part.state, part.node, part.reason]);
  const tasks = rows.length > 0 ? [formatTable(['TASK', 'STATE', 'NODE', 'WHY'], rows)] : [];
  const placement = answer.placement ? [formatPlacement(answer.placement)] : [];
  return [head, ...tasks, ...placement].join('\n');
}
