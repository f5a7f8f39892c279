/** `plim nats`: the cluster's NATS server in the foreground, for where neither systemd nor `plim supervise` runs it. */
import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { z } from 'zod';
import { natsServerCommand } from '../../bus/server/nats-server.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { AbsolutePath, addStateDirOption, DEFAULT_STATE_DIR, settingsOf } from '../settings.ts';

const NatsSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  natsServer: z.string().default('nats-server'),
});

export function addNatsCommand(program: Command): void {
  const command = program.command('nats').description("run this host's NATS server with the cluster's configuration");
  addStateDirOption(command)
    .option('--nats-server <program>', 'nats-server 2.10 or newer (default: the one on the PATH)')
    .action(async (_flags: unknown, given: Command) => {
      const { stateDir, natsServer } = settingsOf(NatsSettings, given);
      await runInForeground(await natsServerCommand(stateDir, { executable: natsServer }));
    });
}

function runInForeground(command: { readonly file: string; readonly args: readonly string[] }): Promise<void> {
  const child = spawn(command.file, command.args, { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', (error) =>
      reject(new PlimsollError('unavailable', `Cannot run ${command.file}: ${error.message}`)),
    );
    child.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new PlimsollError('unavailable', `${command.file} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}
