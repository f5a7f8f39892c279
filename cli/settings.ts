/** Settings that most commands share, each from its flag, then `PLIMSOLL_*`, then the default. */
import type { Command } from 'commander';
import { z } from 'zod';
import { readSettings } from '../runtime/settings.ts';

export const DEFAULT_STATE_DIR = '/var/lib/plimsoll';
export const DEFAULT_SOCKET = '/run/plimsoll/docker.sock';

export const DEFAULT_DOCKER = 'unix:///var/run/docker.sock';

export const AbsolutePath = z.string().regex(/^\//, 'must be an absolute path');

const CommonSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  socket: AbsolutePath.default(DEFAULT_SOCKET),
});
export type CommonSettings = z.infer<typeof CommonSettings>;

/** The settings of a command; throws `invalid`, naming the setting. */
export function settingsOf<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  flags: Readonly<Record<string, unknown>>,
): z.infer<z.ZodObject<S>> {
  const { config, ...settings } = flags;
  return readSettings(schema, {
    flags: settings,
    environment: process.env,
    configFile: typeof config === 'string' ? config : undefined,
  });
}

export function commonSettings(flags: Readonly<Record<string, unknown>>): CommonSettings {
  return settingsOf(CommonSettings, flags);
}

export function addStateDirOption(command: Command): Command {
  return command.option('--state-dir <path>', `where this host keeps its state (default "${DEFAULT_STATE_DIR}")`);
}

export function addSocketOption(command: Command): Command {
  return command.option('--socket <path>', `the coordinator's unix socket (default "${DEFAULT_SOCKET}")`);
}
