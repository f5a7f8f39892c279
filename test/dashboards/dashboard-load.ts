/** Services that give every board something to show: one scales itself, one breaks, one calls another, one fits nowhere. */
import type { Cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const NETWORK = 'dashboards';
/** Scraped from outside the hosts, as a Prometheus elsewhere would; and one in the routing mesh. */
const HOST_PORT = 18_480;
const MESH_PORT = 18_481;
const calls = 'setInterval(() => fetch("http://called/").then((answer) => answer.text()).catch(() => {}), 200)';

/** Beside the light load (test/support/light-load.ts); does not wait for them. */
export async function startDashboardLoad(cluster: Cluster): Promise<void> {
  const image = 'plimsoll/hello:1';
  const create = (name: string, ...args: string[]) => cluster.create(name, '--no-healthcheck', ...args);
  await cluster.docker('network', 'create', '--driver', 'overlay', NETWORK);
  const called = ['--mode', 'global', '--network', NETWORK, '--label', 'plimsoll.scrape.port=80'];
  await create('called', ...called, '--publish', `mode=host,published=${HOST_PORT},target=80`, image);
  await create('caller', '--network', NETWORK, '--publish', `${MESH_PORT}:80`, image, '/usr/bin/node', '-e', calls);
  const scaling = { min: '1', max: '2', cpu: '50%', 'warm-up': '1s' };
  const labels = Object.entries(scaling).flatMap(([name, value]) => ['--label', `plimsoll.autoscale.${name}=${value}`]);
  const cpu = ['--reserve-cpu', '0.05', '--limit-cpu', '0.1'];
  await create('scaling', ...labels, ...cpu, image, '/bin/sh', '-c', 'while :; do :; done');
  await create('breaking', image, '/bin/sh', '-c', 'sleep 1; exit 1');
  await create('nowhere', '--constraint', 'node.hostname==nowhere', image);
  await cluster.docker('service', 'update', '--detach', '--env-add', 'UPDATED=yes', 'scaling');
}

/** The network too, which stays while a task is on it. */
export async function removeDashboardLoad(cluster: Cluster): Promise<void> {
  await cluster.docker('service', 'rm', 'called', 'caller', 'scaling', 'breaking', 'nowhere');
  const isRemoved = async () => {
    const { code, stderr } = await cluster.try('network', 'rm', NETWORK);
    if (code !== 0 && !stderr.includes('not found')) throw new Error(stderr);
    return true;
  };
  await eventually(isRemoved, { timeoutMs: 60_000, intervalMs: 250, what: `network ${NETWORK} to be removed` });
}
