/** `plim why`: the reasons the cluster recorded. */
import type { Command } from 'commander';
import { WhyAnswer } from '../../model/native-api.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export function addWhyCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('why')
    .description('say why a service, task or node is as it is')
    .argument('<name>', 'a name or id: web, web.1, host-2');
  addFormatOption(addSocketOption(command))
    .addHelpText('after', '\nExamples:\n  plim why web\n  plim why web.2\n  plim why host-2')
    .action(async (name: string, { format }: { format: OutputFormat }, given: Command) => {
      const client = createApiClient(commonSettings(given).socket);
      const answer = await client.get(`/v1/why/${encodeURIComponent(name)}`, WhyAnswer);
      print(terminal, format, answer, formatWhy);
    });
}

export function formatWhy(answer: WhyAnswer): string {
  const head = `${answer.kind} ${answer.name} (${answer.id})\n${answer.facts.map((fact) => `  ${fact}\n`).join('')}`;
  if (answer.parts.length === 0) return head;
  const rows = answer.parts.map((part) => [part.name, part.state, part.node, part.reason]);
  return `${head}\n${formatTable(['TASK', 'STATE', 'NODE', 'WHY'], rows)}`;
}
