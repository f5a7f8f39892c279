/** `plim why`: the reasons the cluster recorded. */
import { type Command, InvalidArgumentError } from 'commander';
import { WhyAnswer } from '../../model/native-api.ts';
import { systemClock } from '../../runtime/clock.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { parsePastTime } from '../past-time.ts';
import { formatPlacement } from '../placement-text.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

/** The latest moment a Date can hold. */
const MOST_MS = 8.64e15;

const help = `
The reasons recorded so far, or with --at those of an earlier time: what was decided, how placement found the nodes, which
attempts had ended. Of each service the last 256 decisions are remembered, of each task the last 256 ends. For a service, and for a task that waits, also what placement says of each node now: why not,
with the numbers, or what it is compared by. FAILS: the service failed there often in the last 5 minutes. COPIES: its tasks
there. BUSY: how busy the node was measured to be. TASKS: of all services. RESERVED: of processors or memory, the larger
share. IMAGE: whether a task has brought the image.

Examples:
  plim why web
  plim why web.2
  plim why host-2
  plim why web --format json
  plim why web.2 --at 2h30m
  plim why web --at 2026-11-23T09:30:00Z`;

export function addWhyCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('why')
    .description('say why a service, task or node is as it is')
    .argument('<name>', 'a name or id: web, web.1, host-2');
  addFormatOption(addSocketOption(command))
    .option('--at <time>', 'how it was then: RFC 3339, Unix seconds, or a duration ago (1h30m)', timeOf)
    .addHelpText('after', help)
    .action(async (name: string, { format, at }: WhyOptions, given: Command) => {
      const client = createApiClient(commonSettings(given).socket);
      const query = at === undefined ? '' : `?at=${new Date(at).toISOString()}`;
      const answer = await client.get(`/v1/why/${encodeURIComponent(name)}${query}`, WhyAnswer);
      print(terminal, format, answer, formatWhy);
    });
}

interface WhyOptions {
  readonly format: OutputFormat;
  /** Milliseconds since 1970. */
  readonly at?: number;
}

function timeOf(text: string): number {
  const atMs = parsePastTime(text, systemClock.wallMs());
  if (atMs !== undefined && Math.abs(atMs) <= MOST_MS) return atMs;
  throw new InvalidArgumentError('Give an RFC 3339 time, Unix seconds, or a duration ago like 1h30m.');
}

export function formatWhy(answer: WhyAnswer): string {
  const head = `${answer.kind} ${answer.name} (${answer.id})\n${answer.facts.map((fact) => `  ${fact}\n`).join('')}`;
  const rows = answer.parts.map((part) => [part.name, part.state, part.node, part.reason]);
  const tasks = rows.length > 0 ? [formatTable(['TASK', 'STATE', 'NODE', 'WHY'], rows)] : [];
  const placement = answer.placement ? [formatPlacement(answer.placement)] : [];
  return [head, ...tasks, ...placement].join('\n');
}
