/** The engine's own configuration file (daemon.json): what it says of logs and of live-restore. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const DaemonConfig = z.looseObject({
  'log-driver': z.string().optional(),
  'log-opts': z.record(z.string(), z.unknown()).optional(),
  'live-restore': z.boolean().optional(),
  hosts: z.array(z.string()).optional(),
});
export type DaemonConfig = z.infer<typeof DaemonConfig>;

/** The parsed file; empty when there is none. Throws when it is no valid configuration. */
export async function readDaemonConfig(path: string): Promise<DaemonConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  return DaemonConfig.parse(text.trim() === '' ? {} : JSON.parse(text));
}

/** True when the operator has set no limit to the logs of containers. A file we cannot read is theirs to fix, not ours. */
export async function logsAreUnbounded(path: string): Promise<boolean> {
  const config = await readDaemonConfig(path).catch((): DaemonConfig => ({ 'log-opts': {} }));
  return config['log-opts'] === undefined && config['log-driver'] === undefined;
}
