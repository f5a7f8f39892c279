/** `plim token`: the line that makes another host a node. */
import type { Command } from 'commander';
import { JoinTokenAnswer } from '../../model/native-api.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

interface TokenFlags {
  readonly format: OutputFormat;
  readonly quiet?: boolean;
  readonly rotate?: boolean;
}

export function addTokenCommand(program: Command, terminal: Terminal): void {
  const command = program.command('token').description('print the line that lets another host join');
  addFormatOption(addSocketOption(command))
    .option('-q, --quiet', 'print the token only')
    .option('--rotate', 'make a new token first; the old one lets nobody in any more, nodes stay')
    .addHelpText('after', '\nExamples:\n  plim token\n  ssh h2 sudo plim join $(plim token -q) 192.0.2.1')
    .action(async ({ format, quiet, rotate }: TokenFlags, given: Command) => {
      const client = createApiClient(commonSettings(given).socket);
      const answer = rotate
        ? await client.post('/v1/token/rotate', JoinTokenAnswer)
        : await client.get('/v1/token', JoinTokenAnswer);
      print(terminal, format, answer, ({ token, address }) => (quiet ? `${token}\n` : joinText(token, address)));
    });
}

function joinText(token: string, address: string): string {
  return `To add a host to this cluster, run there:\n\n    plim join ${token} ${address}\n\n`;
}
