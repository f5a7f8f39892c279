/** The host as the kernel and its files show it. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile, statfs } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import { logsAreUnbounded } from './engine/docker-config-file.ts';
import type { Host } from './host.ts';
import { addressTowards } from './host-address.ts';
import { runHostCommand } from './network/command-runner.ts';
import { uplinkMtuBytes } from './network/overlay/tunnel.ts';
import type { AgentSettings } from './settings.ts';
import { diskUsageOf } from './usage/usage-meter.ts';

export function realHost({ stateDir, dockerConfigFile }: Pick<AgentSettings, 'stateDir' | 'dockerConfigFile'>): Host {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return {
    hostname,
    addressTowards,
    uplinkMtuBytes: (address) => uplinkMtuBytes(runHostCommand, address).catch(() => undefined),
    hasCoordinator: () => existsSync(join(stateDir, 'cluster', 'coordinator.json')),
    logsAreUnbounded: () => logsAreUnbounded(dockerConfigFile),
    diskUse,
    killProcess,
    uptime: () => ({ bootId, sinceBootMs: uptime() * 1000 }),
  };
}

async function diskUse(path: string): Promise<number | undefined> {
  const blocks = await statfs(path).catch(() => undefined);
  if (blocks === undefined) return undefined;
  const { bytes, totalBytes } = diskUsageOf(blocks);
  return totalBytes > 0 ? bytes / totalBytes : undefined;
}

/** The number may be another process's by now: its control group names the container. */
async function killProcess({ id, pid }: Parameters<Host['killProcess']>[0]): Promise<void> {
  if (pid === undefined || pid <= 1) return;
  const controlGroups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  if (controlGroups.includes(id)) process.kill(pid, 'SIGKILL');
}
