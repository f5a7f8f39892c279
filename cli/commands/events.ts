/** `plim events`: the cluster's decisions as they are made. */
import type { Command } from 'commander';
import { ClusterEvent } from '../../model/messages.ts';
import { isAbort } from '../../runtime/errors.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

export function addEventsCommand(program: Command, terminal: Terminal): void {
  const command = program.command('events').description('follow what happens in the cluster and why, until Ctrl-C');
  addFormatOption(addSocketOption(command))
    .addHelpText('after', '\nExamples:\n  plim events\n  plim events --format json | jq -c .attributes')
    .action(async ({ format }: { format: OutputFormat }, given: Command) => {
      const stopping = new AbortController();
      process.once('SIGINT', () => stopping.abort());
      const client = createApiClient(commonSettings(given).socket);
      try {
        for await (const event of client.lines('/v1/events', ClusterEvent, stopping.signal)) {
          terminal.out(format === 'json' ? `${JSON.stringify(event)}\n` : formatEvent(event));
        }
      } catch (error) {
        if (!isAbort(error) && !stopping.signal.aborted) throw error;
      }
    });
}

/** One line: time, kind, action, id and attributes, as `docker events` words it. */
export function formatEvent(event: ClusterEvent): string {
  const attributes = Object.entries(event.attributes).map(([name, value]) => `${name}=${value}`);
  const words = attributes.length > 0 ? ` (${attributes.join(', ')})` : '';
  return `${new Date(event.atMs).toISOString()} ${event.kind} ${event.action} ${event.id}${words}\n`;
}
