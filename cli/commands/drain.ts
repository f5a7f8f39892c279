/** `plim drain`: empties a node and shows what each task that is left waits for. */
import type { Command } from 'commander';
import { DrainProgress } from '../../model/drain-progress.ts';
import { parseDurationMs } from '../../model/duration.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

const POLL_MS = 500;

const help = `
Tasks start elsewhere before they stop here, unless their service's update order is stop-first, they write to a named volume,
or never run twice. Ends with 0 once the node is empty, with 1 when the time is over: the drain itself goes on.
"docker node update --availability active NODE" takes it back.

Examples:
  plim drain host-2
  plim drain host-2 --timeout 2m`;

export function addDrainCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('drain')
    .description('move all tasks away from a node and wait until it is empty')
    .argument('<node>', "the node's name or id")
    .option('--timeout <duration>', 'how long to wait for it to be empty', '10m');
  addFormatOption(addSocketOption(command))
    .addHelpText('after', help)
    .action(async (node: string, { timeout, format }: { timeout: string; format: OutputFormat }, given: Command) => {
      const timeoutMs = parseDurationMs(timeout);
      if (timeoutMs === undefined)
        throw new PlimsollError('invalid', `--timeout: "${timeout}" is no duration, like 90s`);
      const client = createApiClient(commonSettings(given).socket);
      const path = `/v1/nodes/${encodeURIComponent(node)}/drain`;
      const parts: DrainParts = {
        begin: () => client.post(path, DrainProgress),
        look: () => client.get(path, DrainProgress),
        clock: systemClock,
        note: (progress) => terminal.err(formatDrain(progress)),
      };
      const progress = await drainAndWait(parts, timeoutMs);
      print(terminal, format, progress, formatEmpty);
    });
}

interface DrainParts {
  readonly begin: () => Promise<DrainProgress>;
  readonly look: () => Promise<DrainProgress>;
  readonly clock: Pick<Clock, 'elapsedMs' | 'sleep'>;
  /** Told how far it is each time that has changed. */
  readonly note: (progress: DrainProgress) => void;
}

/** Resolves once the node is empty. Throws `precondition` when it is not in time, or is not drained any more. */
export async function drainAndWait(parts: DrainParts, timeoutMs: number): Promise<DrainProgress> {
  const { clock, note } = parts;
  const endMs = clock.elapsedMs() + timeoutMs;
  let progress = await parts.begin();
  let noted = '';
  while (progress.left.length > 0) {
    if (JSON.stringify(progress) !== noted) note(progress);
    noted = JSON.stringify(progress);
    if (!progress.draining) throw new PlimsollError('precondition', `${progress.node} is not drained any more`);
    if (clock.elapsedMs() >= endMs) {
      throw new PlimsollError('precondition', `${progress.left.length} tasks are left on ${progress.node}: it goes on`);
    }
    await clock.sleep(POLL_MS);
    progress = await parts.look();
  }
  return progress;
}

export function formatDrain({ node, left }: DrainProgress): string {
  const rows = left.map(({ task, waitsFor }) => [task, waitsFor]);
  return `${left.length} left on ${node}\n${formatTable(['TASK', 'WAITS FOR'], rows)}`;
}

function formatEmpty({ node, homeless }: DrainProgress): string {
  const others = homeless.map(({ task, reason }) => `${task} runs nowhere: ${reason}\n`);
  return `${node} is empty\n${others.join('')}`;
}
