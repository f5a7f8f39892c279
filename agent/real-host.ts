/** The host as the kernel and its files show it. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { logsAreUnbounded } from './engine/docker-config-file.ts';
import type { Host } from './host.ts';
import { addressTowards } from './host-address.ts';
import type { AgentSettings } from './settings.ts';
import { diskUsageOf } from './usage/usage-meter.ts';

export function realHost({ stateDir, dockerConfigFile }: Pick<AgentSettings, 'stateDir' | 'dockerConfigFile'>): Host {
  return {
    hostname,
    addressTowards,
    hasCoordinator: () => existsSync(join(stateDir, 'cluster', 'coordinator.json')),
    logsAreUnbounded: () => logsAreUnbounded(dockerConfigFile),
    diskUse,
  };
}

async function diskUse(path: string): Promise<number | undefined> {
  const blocks = await statfs(path).catch(() => undefined);
  if (blocks === undefined) return undefined;
  const { bytes, totalBytes } = diskUsageOf(blocks);
  return totalBytes > 0 ? bytes / totalBytes : undefined;
}
