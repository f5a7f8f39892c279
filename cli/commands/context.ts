/** `plim context`: a docker context for the cluster. */
import type { Command } from 'commander';
import { removeDockerContext, writeDockerContext } from '../docker-cli.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

export const DOCKER_CONTEXT = 'plimsoll';

interface ContextFlags {
  readonly name: string;
  readonly remove?: boolean;
}

export function addContextCommand(program: Command, terminal: Terminal): void {
  const command = program.command('context').description('make a docker context, so that "docker" means the cluster');
  addSocketOption(command)
    .option('--name <name>', 'name of the context', DOCKER_CONTEXT)
    .option('--remove', 'remove it again')
    .addHelpText('after', '\nExamples:\n  plim context && docker context use plimsoll && docker node ls')
    .action(async ({ name, remove }: ContextFlags, given: Command) => {
      if (remove) {
        await removeDockerContext(name);
        terminal.out(`Removed docker context ${name}\n`);
        return;
      }
      const { socket } = commonSettings(given);
      const change = await writeDockerContext(name, socket);
      terminal.out(`Docker context ${name} ${change}: unix://${socket}\nUse it with: docker context use ${name}\n`);
    });
}
