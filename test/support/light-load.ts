/** Services that give every container metric something to count, and leave the machine to others. */
import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';

/** Uses the processor until it is held back, and writes to the disk. */
const restless = `while true; do
  i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done
  dd if=/dev/zero of=/tmp/written bs=64k count=16 conv=fsync 2>/dev/null
done`;

/** `web` in a stack, and `restless` on each host; without health checks, which a busy machine fails. */
export async function startLightLoad(cluster: Cluster): Promise<void> {
  await cluster.whole();
  const stack = 'com.docker.stack.namespace=market';
  const ofStack = ['--label', stack, '--container-label', stack];
  await cluster.create('web', '--replicas', '3', ...ofStack, '--no-healthcheck', 'plimsoll/hello:1');
  const limits = ['--limit-cpu', '0.1', '--limit-memory', '64M', '--reserve-memory', '16M', '--no-healthcheck'];
  await cluster.create('restless', '--mode', 'global', ...limits, 'plimsoll/hello:1', '/bin/sh', '-c', restless);
  await cluster.settled('web', 3);
  const everywhere = async () => (await cluster.serviceContainers('restless')).length === cluster.lab.hosts.length;
  await eventually(everywhere, { timeoutMs: 60_000, intervalMs: 200, what: 'load on each host' });
}
