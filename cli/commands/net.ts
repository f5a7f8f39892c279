/** `plim net check`: walks the way from a task to a name and says where it breaks. */
import type { Command } from 'commander';
import { NetworkCheck } from '../../model/network-check.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { createApiClient } from '../api-client.ts';
import { addFormatOption, type OutputFormat, print } from '../output-format.ts';
import { addSocketOption, commonSettings } from '../settings.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

const help = `
With --from and --to: from inside the task's own container, the name, its virtual address, where the kernel leads that, the
routes and neighbours of both hosts, their firewalls, small and large packets, and whether the port answers. Without them: what
every host's kernel should have for the cluster's networks, and has not. Nothing is changed. Ends with 1 where something is broken.

Examples:
  plim net check
  plim net check --from web.1 --to api:8080
  plim net check --from web --to 10.208.0.7:80 --format json`;

interface CheckOptions {
  readonly from?: string;
  readonly to?: string;
  readonly format: OutputFormat;
}

export function addNetCommand(program: Command, terminal: Terminal): void {
  const net = program.command('net').description('look at the networks of the cluster');
  const check = net
    .command('check')
    .description('say where the way between two tasks breaks, and what to do')
    .option('--from <task>', 'a task (web.1), its id, or a service: its first task')
    .option('--to <name:port>', 'what it calls: a name or an address, and a port (80 unless given)');
  addFormatOption(addSocketOption(check))
    .addHelpText('after', help)
    .action(async ({ from, to, format }: CheckOptions, given: Command) => {
      const asked = new URLSearchParams({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
      const answer = await createApiClient(commonSettings(given).socket).get(
        `/v1/network/check?${asked.toString()}`,
        NetworkCheck,
      );
      print(terminal, format, answer, (found) => formatCheck(found, terminal.colors));
      if (!answer.ok) throw new PlimsollError('precondition', 'something on the way is broken');
    });
}

/** The page for people: every step, then what to do about the first that is broken. */
export function formatCheck({ findings }: NetworkCheck, colors: Terminal['colors']): string {
  const rows = findings.map(({ step, node, ok, says }) => [
    step,
    node,
    ok ? colors.green('ok') : colors.red('broken'),
    says,
  ]);
  const first = findings.find(({ ok }) => !ok);
  const advice = first ? `\nFirst broken: ${first.step} on ${first.node}. ${first.advice ?? ''}\n` : '';
  return `${formatTable(['STEP', 'NODE', 'IS', 'WHAT WAS FOUND'], rows)}${advice}`;
}
