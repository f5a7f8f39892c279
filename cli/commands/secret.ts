/** `plim secret`: what docker has no word for. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { RotationAnswer } from '../../model/native-api.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

const help = `
The new content takes the secret's name; the one before is kept as NAME.v1, NAME.v2 ... Services that use it are updated,
each as its update configuration says. "docker service rollback" goes back to the content before.

Examples:
  plim secret rotate db_password new-password.txt
  openssl rand -base64 24 | plim secret rotate db_password -`;

export function addSecretCommand(program: Command, terminal: Terminal): void {
  const secret = program.command('secret').description('give secrets new contents');
  const rotate = secret
    .command('rotate')
    .description('put a new content under the name of a secret and roll the services that use it')
    .argument('<name>', "the secret's name or id")
    .argument('[file]', 'the new content; - is standard input', '-');
  addFormatOption(addSocketOption(rotate))
    .addHelpText('after', help)
    .action(async (name: string, file: string, { format }: { format: OutputFormat }, given: Command) => {
      const content = await contentOf(file);
      const client = createApiClient(commonSettings(given).socket);
      const path = `/v1/secrets/${encodeURIComponent(name)}/rotate`;
      const answer = await client.post(path, RotationAnswer, { content: content.toString('base64') });
      print(terminal, format, answer, (rotation) => formatRotation(name, rotation));
    });
}

async function contentOf(file: string): Promise<Buffer> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (error) {
    throw new PlimsollError('invalid', `Cannot read the new content: ${messageOf(error)}`);
  }
}

function formatRotation(name: string, { version, formerName, services }: RotationAnswer): string {
  const users = services.length > 0 ? `rolling ${services.join(', ')}` : 'no service uses it';
  return `${name} is at version ${version}, the one before is ${formerName}; ${users}\n`;
}
