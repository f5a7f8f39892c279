/** Debian's node_exporter on a lab's host, to compare the agent's host series with. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/version.ts';
import { eventually } from './eventually.ts';
import type { Lab, LabHost } from './lab.ts';
import { installedProgram } from './prometheus-server.ts';
import { scrape } from './prometheus-text.ts';

const PORT = 19_100;
/** Debian's choice of what to leave out is another, and an older one, than that of node_exporter's authors. */
const upstreamDefaults = [
  '--collector.filesystem.mount-points-exclude=^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)',
  '--collector.netdev.device-exclude=^$',
  '--collector.diskstats.device-exclude=^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+$',
];

export interface NodeExporter {
  page(): Promise<string>;
  stop(): Promise<void>;
}

/** In the host's network, under the host's name. */
export async function startNodeExporter({ name }: Pick<Lab, 'name'>, host: LabHost): Promise<NodeExporter> {
  const program = installedProgram('prometheus-node-exporter', 'prometheus-node-exporter');
  const flags = [`--web.listen-address=${host.address}:${PORT}`, ...upstreamDefaults];
  const lab = join(packageRoot(), 'scripts', 'lab');
  const env = { ...process.env, LAB_NAME: name, LAB_DIR: `/var/lib/plimsoll-${name}` };
  const exporter = spawn(lab, ['exec', host.name, '--', program, ...flags], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => exporter.once('exit', resolve));
  const page = () => scrape(`http://${host.address}:${PORT}/metrics`);
  await eventually(page, { timeoutMs: 30_000, intervalMs: 100, what: `node_exporter on ${host.name}` });
  const stop = async () => {
    if (exporter.kill('SIGKILL')) await ended;
  };
  return { page, stop };
}
