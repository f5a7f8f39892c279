/** A real Prometheus sees the cluster through the coordinator's service discovery. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../runtime/version.ts';
import { type Cluster, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const PORT = 19_090;
const Vector = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

/** A second job, as a Prometheus has it that reaches nothing but the coordinator. */
const throughCoordinator = `
  - job_name: through-coordinator
    http_sd_configs:
      - url: http://127.0.0.1:7700/v1/sd?via=coordinator
        refresh_interval: 5s
    relabel_configs:
      - source_labels: [__meta_plimsoll_role]
        regex: agent
        action: keep
      - source_labels: [__meta_plimsoll_node_name]
        target_label: instance
`;

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

describe('Prometheus', () => {
  let cluster: Cluster;
  let folder: string;
  let server: ChildProcess;

  beforeAll(async () => {
    cluster = await sharedCluster();
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-prometheus-'));
    const configuration = readFileSync(join(packageRoot(), 'prometheus', 'prometheus.yml'), 'utf8');
    const path = join(folder, 'prometheus.yml');
    writeFileSync(
      path,
      `${configuration}${throughCoordinator}`
        .replaceAll('http://127.0.0.1:7700', cluster.lab.plimUrl)
        .replace(/(_interval): 5s/g, '$1: 1s'),
    );
    const listen = `--web.listen-address=127.0.0.1:${PORT}`;
    const storage = `--storage.tsdb.path=${join(folder, 'data')}`;
    server = spawn(prometheusProgram(), [`--config.file=${path}`, storage, listen], { stdio: 'ignore' });
    await cluster.create('web', '--replicas', '3', '--label', 'plimsoll.scrape.port=80', 'plimsoll/hello:1');
    await cluster.settled('web', 3);
  });

  afterAll(async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    if (server.kill('SIGKILL')) await ended;
    rmSync(folder, { recursive: true, force: true });
    await cluster.clear();
  });

  async function query(expression: string): Promise<Sample[]> {
    const answer = await fetch(`http://127.0.0.1:${PORT}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data } = Vector.parse(await answer.json());
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  const queryUntil = (expression: string, accept: (samples: readonly Sample[]) => boolean) =>
    eventually(
      async () => {
        const samples = await query(expression);
        if (!accept(samples)) throw new Error(JSON.stringify(samples));
        return samples;
      },
      { timeoutMs: 40_000, intervalMs: 250, what: `${expression} to be as wanted` },
    );

  it('finds every agent and the coordinator, and they answer', async () => {
    const up = await queryUntil('up{job=~"plimsoll-.*"}', (samples) => {
      return samples.length === 4 && samples.every((sample) => sample.value === 1);
    });
    expect(up.map(({ labels }) => `${labels['job']} ${labels['instance']}`).toSorted()).toEqual([
      'plimsoll-agent h1',
      'plimsoll-agent h2',
      'plimsoll-agent h3',
      'plimsoll-coordinator h1',
    ]);
  });

  it('sees as many replicas ready as are wanted, and follows', async () => {
    const ready = 'plimsoll_service_status_replicas_ready{service="web"}';
    const isWhole = `${ready} == plimsoll_service_spec_replicas{service="web"}`;
    await queryUntil(isWhole, ([sample]) => sample?.value === 3);
    await cluster.docker('service', 'scale', '--detach', 'web=4');
    await queryUntil(isWhole, ([sample]) => sample?.value === 4);
  });

  it('reaches every agent through the coordinator alone, and sees the same node there', async () => {
    const up = await queryUntil('up{job="through-coordinator"}', (samples) => {
      return samples.length === 3 && samples.every((sample) => sample.value === 1);
    });
    expect(up.map(({ labels }) => labels['instance']).toSorted()).toEqual(['h1', 'h2', 'h3']);
    const both = 'count by (instance) (plimsoll_build_info{component="agent"})';
    await queryUntil(both, (samples) => samples.length === 3 && samples.every((sample) => sample.value === 2));
  });

  it('sees how long tasks took to get a node and to start, and that the leader has planned from what was wished', async () => {
    const atLeast = (count: number) => (samples: readonly Sample[]) => (samples[0]?.value ?? 0) >= count;
    await queryUntil('sum(plimsoll_task_scheduling_duration_seconds_count)', atLeast(3));
    await queryUntil('sum(plimsoll_task_start_duration_seconds_count)', atLeast(3));
    const planned = 'plimsoll_service_observed_version == plimsoll_service_spec_version';
    await queryUntil(planned, (samples) => samples.some(({ labels }) => labels['service'] === 'web'));
    const late = 'histogram_quantile(0.5, sum by (le) (plimsoll_task_start_duration_seconds_bucket))';
    expect((await query(late))[0]?.value).toBeLessThan(60);
  });

  it("sees a container's CPU time and memory by service and node", async () => {
    const ofWeb = '{container_label_com_docker_swarm_service_name="web"}';
    await queryUntil(`container_memory_working_set_bytes${ofWeb}`, (samples) => {
      return samples.length >= 3 && samples.every((sample) => sample.value > 1_000_000);
    });
    await queryUntil(`increase(container_cpu_usage_seconds_total${ofWeb}[15s]) > 0`, (samples) => samples.length >= 3);
  });
});

function prometheusProgram(): string {
  const cached = `${process.env['PLIMSOLL_CACHE_DIR'] ?? '/var/cache/plimsoll'}/programs/prometheus/usr/bin/prometheus`;
  try {
    return execFileSync('which', ['prometheus'], { encoding: 'utf8' }).trim();
  } catch {
    return cached;
  }
}
