/** `plim rollback`: back to any kept revision of a service; `docker service rollback` knows only the last. */
import type { Command } from 'commander';
import { RollbackAnswer } from '../../model/service-history.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

const help = `
Tasks and published ports become those of the revision; replicas, labels and update settings stay as they are. Tasks that
still run that revision are left alone. "docker service rollback" goes back to the specification before the last change.

Examples:
  plim history web
  plim rollback web --to 3`;

export function addRollbackCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('rollback')
    .description('roll a service back to one of its earlier revisions')
    .argument('<service>', "the service's name or id")
    .requiredOption('--to <revision>', 'the revision, as "plim history" numbers it');
  addFormatOption(addSocketOption(command))
    .addHelpText('after', help)
    .action(async (service: string, { to, format }: { to: string; format: OutputFormat }, given: Command) => {
      const client = createApiClient(commonSettings(given).socket);
      const path = `/v1/services/${encodeURIComponent(service)}/rollback?to=${encodeURIComponent(to)}`;
      const answer = await client.post(path, RollbackAnswer);
      for (const warning of answer.warnings) terminal.err(`${warning}\n`);
      print(terminal, format, answer, ({ name, revision }) => `${name} rolls back to revision ${revision}\n`);
    });
}
