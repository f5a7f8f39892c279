/** Settings that most commands share, each from its flag, then `PLIMSOLL_*`, then the default. */
import type { Command } from 'commander';
import { z } from 'zod';
import { readSettings } from '../runtime/settings.ts';

export const DEFAULT_STATE_DIR = '/var/lib/plimsoll';
export const DEFAULT_SOCKET = '/run/plimsoll/docker.sock';

export const DEFAULT_DOCKER = 'unix:///var/run/docker.sock';

/** A switch: from a flag, or as a word in the environment. */
export const Switch = z.boolean().or(z.stringbool());
export const Port = z.coerce.number().int().min(1).max(65535);
export const AbsolutePath = z.string().regex(/^\//, 'must be an absolute path');

const CommonSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  socket: AbsolutePath.default(DEFAULT_SOCKET),
});
export type CommonSettings = z.infer<typeof CommonSettings>;

/** The settings of a command out of its command line, the environment and its --config file; throws `invalid`. */
export function settingsOf<S extends z.ZodRawShape>(schema: z.ZodObject<S>, command: Command): z.infer<z.ZodObject<S>> {
  const { config, ...flags } = givenFlags(command);
  return readSettings(schema, {
    flags,
    environment: process.env,
    configFile: typeof config === 'string' ? config : undefined,
  });
}

/** Without the defaults commander fills in, which would hide the environment and the file. */
function givenFlags(command: Command): Record<string, unknown> {
  const given = Object.entries(command.opts()).filter(([name]) => command.getOptionValueSource(name) === 'cli');
  return Object.fromEntries(given);
}

export function commonSettings(command: Command): CommonSettings {
  return settingsOf(CommonSettings, command);
}

export function addStateDirOption(command: Command): Command {
  return command.option('--state-dir <path>', `where this host keeps its state (default "${DEFAULT_STATE_DIR}")`);
}

export function addSocketOption(command: Command): Command {
  return command.option('--socket <path>', `the coordinator's unix socket (default "${DEFAULT_SOCKET}")`);
}
