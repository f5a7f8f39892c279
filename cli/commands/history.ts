/** `plim history`: the revisions a service can go back to. */
import type { Command } from 'commander';
import { ServiceHistory } from '../../model/service-history.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export function addHistoryCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('history')
    .description('list the last ten revisions of a service and what each changed')
    .argument('<service>', "the service's name or id");
  addFormatOption(addSocketOption(command))
    .addHelpText('after', '\nExamples:\n  plim history web\n  plim rollback web --to 3')
    .action(async (service: string, { format }: { format: OutputFormat }, given: Command) => {
      const client = createApiClient(commonSettings(given).socket);
      const answer = await client.get(`/v1/services/${encodeURIComponent(service)}/history`, ServiceHistory);
      print(terminal, format, answer, formatHistory);
    });
}

export function formatHistory({ revisions }: ServiceHistory): string {
  const rows = revisions.map(({ number, current, image, sinceMs, changes }) => [
    `${number}${current ? ' *' : ''}`,
    new Date(sinceMs).toISOString().slice(0, 19).replace('T', ' '),
    image,
    changes.join('; '),
  ]);
  return formatTable(['REVISION', 'SINCE (UTC)', 'IMAGE', 'CHANGED'], rows);
}
