/** A lab under light load with a Prometheus that has scraped it for a while: what dashboards are checked against. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/version.ts';
import { Cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { describeLab, type Lab, labCommandAt } from '../support/lab.ts';
import { startLightLoad } from '../support/light-load.ts';
import { startPrometheus } from '../support/prometheus-server.ts';
import { prometheusAt } from './prometheus-client.ts';

const place = { name: process.env['LAB_NAME'] ?? 'compat', subnet: process.env['LAB_SUBNET'] ?? '10.99.70' };
const settings = {
  // The cgroups an engine gives containers by default: some dashboards look for /docker/.
  LAB_CGROUP: `docker/${place.name}`,
  // Off by default, because it walks the containers' files; some dashboards show it.
  PLIMSOLL_MEASURE_LAYERS: 'true',
};
/** rate() over the shortest range the dashboards ask for wants a few samples in it. */
const SCRAPES = 15;

/** Calls back with the URL of a Prometheus; the lab is gone afterwards. */
export async function withCompatLab<T>(work: (prometheusUrl: string) => Promise<T>): Promise<T> {
  const command = labCommandAt(place, settings);
  await command('down');
  try {
    await command('up', '--engine', 'plimsoll', '--hosts', '2');
    return await withLoad(describeLab(await command('env'), command), work);
  } finally {
    await command('down');
  }
}

async function withLoad<T>(lab: Lab, work: (prometheusUrl: string) => Promise<T>): Promise<T> {
  const cluster = new Cluster(lab);
  await countDiskTraffic(cluster);
  await startLightLoad(cluster);
  const rules = [join(packageRoot(), 'prometheus', 'rootfs.rules.yml')];
  const prometheus = await startPrometheus({ coordinator: lab.plimUrl, rules });
  try {
    await scraped(prometheus.url);
    return await work(prometheus.url);
  } finally {
    await prometheus.stop();
  }
}

/**
 * With cgroup v1, newer kernels (6.18 tried) count a disk's traffic by container only from the moment any container on it
 * is given a limit, be it as high as here, and then for all of them.
 */
async function countDiskTraffic(cluster: Cluster): Promise<void> {
  const disk =
    execFileSync('df', ['--output=source', '/var/lib'], { encoding: 'utf8' }).trim().split('\n').at(-1) ?? '';
  if (!disk.startsWith('/dev/')) return;
  const limit = ['--device-write-iops', `${disk}:1000000`];
  await cluster.engine('h1', 'run', '--rm', ...limit, 'plimsoll/hello:1', '/bin/sh', '-c', ':');
}

async function scraped(url: string): Promise<void> {
  const prometheus = prometheusAt(url);
  const isEnough = async () => {
    const counts = await prometheus.query('count_over_time(up{job="plimsoll-agent"}[5m])');
    return counts.length >= 2 && counts.every(({ value }) => value >= SCRAPES);
  };
  await eventually(isEnough, { timeoutMs: 120_000, intervalMs: 500, what: `${SCRAPES} scrapes of each agent` });
}
