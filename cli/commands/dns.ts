/** `plim dns`: the resolver of one host's containers. */
import type { Command } from 'commander';
import { z } from 'zod';
import { runUntilTold } from '../run-daemon.ts';
import { AbsolutePath, addStateDirOption, DEFAULT_STATE_DIR, Port, settingsOf } from '../settings.ts';

const DnsSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  port: Port.default(53),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export function addDnsCommand(program: Command): void {
  const command = program.command('dns').description("answer names of services and tasks to this host's containers");
  addStateDirOption(command)
    .option('--port <port>', 'port to listen on, on the bridges of the networks (default 53)')
    .option('--log-level <level>', 'debug, info, warn, error or silent (default "info")')
    .option('--config <file>', 'read settings from this YAML file')
    .addHelpText('after', '\nIt knows what the agent of this host wrote down, and goes on without the agent.')
    .action((_flags: unknown, given: Command) => run(given));
}

async function run(given: Command): Promise<void> {
  const [{ startResolver }, { systemClock }, { createLog }, { durableFiles }] = await Promise.all([
    import('../../agent/dns/start-resolver.ts'),
    import('../../runtime/clock.ts'),
    import('../../runtime/log.ts'),
    import('../../runtime/files.ts'),
  ]);
  const settings = settingsOf(DnsSettings, given);
  const log = createLog('dns', settings.logLevel);
  await runUntilTold(() => startResolver(settings, { clock: systemClock, log, files: durableFiles }));
}
