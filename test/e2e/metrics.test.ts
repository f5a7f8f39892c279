/** The agents' and the coordinator's pages, of a cluster under load, beside what others measure. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { dashboardsDirectory } from '../../dashboards/dashboard-files.ts';
import { packageRoot } from '../../runtime/version.ts';
import { checkDashboards } from '../compat/check.ts';
import { type Dashboard, readDashboards } from '../compat/dashboard.ts';
import { prometheusAt } from '../compat/prometheus-client.ts';
import { renderTable, reportOf } from '../compat/report.ts';
import { isAbsentInHealth } from '../dashboards/absent-in-health.ts';
import { removeDashboardLoad, startDashboardLoad } from '../dashboards/dashboard-load.ts';
import { withoutData } from '../dashboards/without-data.ts';
import { type Cluster, type HostContainer, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { type ExpositionPage, parseExposition } from '../support/exposition-page.ts';
import { SocketApi } from '../support/lab-engines.ts';
import { startLightLoad } from '../support/light-load.ts';
import { documentedFamilies, undocumented, unseen } from '../support/metrics-document.ts';
import { type NodeExporter, startNodeExporter } from '../support/node-exporter.ts';
import { installedProgram, type PrometheusServer, startPrometheus } from '../support/prometheus-server.ts';
import { scrape } from '../support/prometheus-text.ts';
import { type Agreement, compareSeries } from '../support/series-comparison.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await sharedCluster();
  await startLightLoad(cluster);
});

afterAll(() => cluster.clear());

const agentPage = (host: string) => scrape(`http://${cluster.host(host).address}:7701/metrics`);

describe("an agent's series of its host", () => {
  let exporter: NodeExporter;
  let reference: ExpositionPage;
  let readings: { before: ExpositionPage['series']; ours: ExpositionPage['series']; after: ExpositionPage['series'] };
  let ours: ExpositionPage;

  beforeAll(async () => {
    exporter = await startNodeExporter(cluster.lab, cluster.host('h1'));
    reference = parseExposition(await exporter.page());
    ours = parseExposition(await agentPage('h1'));
    const after = parseExposition(await exporter.page());
    readings = { before: reference.series, ours: ours.series, after: after.series };
  });
  afterAll(() => exporter.stop());

  const exact: Agreement = { kind: 'exact' };
  const counter: Agreement = { kind: 'counter' };
  /** Others use this machine at the same time: what moves up and down may be elsewhere for a moment. */
  const gauge = (share: number, slack = 0): Agreement => ({ kind: 'gauge', share, slack });

  it.each<[name: string, agreement: Agreement]>([
    // Idle and iowait step back at times, which both hold, each for itself.
    ['node_cpu_seconds_total', { kind: 'counter', slack: 0.5 }],
    ['node_memory_MemTotal_bytes', exact],
    ['node_memory_MemAvailable_bytes', gauge(0.05, 256 << 20)],
    ['node_memory_MemFree_bytes', gauge(0.05, 256 << 20)],
    ['node_memory_Buffers_bytes', gauge(0.05, 16 << 20)],
    ['node_memory_Cached_bytes', gauge(0.05, 64 << 20)],
    ['node_memory_SwapTotal_bytes', exact],
    ['node_memory_SwapFree_bytes', gauge(0.05)],
    ['node_memory_Slab_bytes', gauge(0.05, 16 << 20)],
    ['node_filesystem_size_bytes', exact],
    ['node_filesystem_avail_bytes', gauge(0.02)],
    ['node_filesystem_free_bytes', gauge(0.02)],
    ['node_filesystem_files', exact],
    ['node_filesystem_files_free', gauge(0.02)],
    ['node_filesystem_readonly', exact],
    ['node_filesystem_device_error', exact],
    ['node_disk_read_bytes_total', counter],
    ['node_disk_written_bytes_total', counter],
    ['node_disk_io_time_seconds_total', counter],
    ['node_disk_reads_completed_total', counter],
    ['node_disk_writes_completed_total', counter],
    ['node_disk_read_time_seconds_total', counter],
    ['node_disk_write_time_seconds_total', counter],
    ['node_disk_io_time_weighted_seconds_total', counter],
    ['node_disk_reads_merged_total', counter],
    ['node_disk_writes_merged_total', counter],
    ['node_disk_io_now', gauge(0, 100)],
    ['node_network_receive_bytes_total', counter],
    ['node_network_receive_packets_total', counter],
    ['node_network_receive_errs_total', counter],
    ['node_network_receive_drop_total', counter],
    ['node_network_transmit_bytes_total', counter],
    ['node_network_transmit_packets_total', counter],
    ['node_network_transmit_errs_total', counter],
    ['node_network_transmit_drop_total', counter],
    ['node_load1', gauge(0.1, 1)],
    ['node_load5', gauge(0.1, 1)],
    ['node_load15', gauge(0.1, 1)],
    ['node_time_seconds', counter],
    ['node_boot_time_seconds', gauge(0, 1)],
    ['node_uname_info', exact],
    ['node_intr_total', counter],
    ['node_context_switches_total', counter],
    ['node_forks_total', counter],
    ['node_procs_running', gauge(0, 50)],
    ['node_procs_blocked', gauge(0, 50)],
    ['node_filefd_allocated', gauge(0.2)],
    ['node_filefd_maximum', exact],
    ['node_vmstat_pswpin', counter],
    ['node_vmstat_pswpout', counter],
    ['node_vmstat_pgmajfault', counter],
    ['node_vmstat_pgpgin', counter],
    ['node_vmstat_pgpgout', counter],
    ['node_vmstat_oom_kill', counter],
    ['node_netstat_Tcp_CurrEstab', gauge(0.2, 10)],
    ['node_netstat_Tcp_RetransSegs', counter],
    ['node_netstat_Tcp_OutSegs', counter],
    ['node_netstat_TcpExt_TCPSynRetrans', counter],
    ['node_nf_conntrack_entries', gauge(0.2, 50)],
    ['node_nf_conntrack_entries_limit', exact],
    ['node_sockstat_TCP_alloc', gauge(0.2, 50)],
    ['node_sockstat_TCP_inuse', gauge(0.2, 20)],
    ['node_sockstat_TCP_tw', gauge(0.2, 50)],
    ['node_sockstat_sockets_used', gauge(0.2, 50)],
    ['node_pressure_cpu_waiting_seconds_total', counter],
    ['node_pressure_memory_waiting_seconds_total', counter],
    ['node_pressure_memory_stalled_seconds_total', counter],
    ['node_pressure_io_waiting_seconds_total', counter],
    ['node_pressure_io_stalled_seconds_total', counter],
  ])('%s agrees with node_exporter', (name, agreement) => {
    const { compared, wrong } = compareSeries(name, agreement, readings);
    expect(wrong).toEqual([]);
    // What this machine's kernel does not have, neither has.
    expect(compared > 0).toBe(reference.families.has(name));
    expect(ours.families.get(name)?.type).toBe(reference.families.get(name)?.type);
  });

  it('has the type that node_exporter gives to every name they share', () => {
    const shared = [...ours.families].filter(([name]) => name.startsWith('node_') && reference.families.has(name));
    expect(shared.length).toBeGreaterThan(150);
    const differing = shared.filter(([name, { type }]) => type !== reference.families.get(name)?.type);
    expect(differing).toEqual([]);
  });

  it('agrees with /proc', async () => {
    const stat = readFileSync('/proc/stat', 'utf8');
    const value = (name: string) => ours.series.get(`${name}{}`);
    expect(value('node_boot_time_seconds')).toBe(Number(/^btime (\d+)$/m.exec(stat)?.[1]));
    expect(value('node_context_switches_total')).toBeLessThanOrEqual(Number(/^ctxt (\d+)$/m.exec(stat)?.[1]));
    const memory = /^MemTotal:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    expect(value('node_memory_MemTotal_bytes')).toBe(Number(memory) * 1024);
  });
});

const EngineStats = z.object({
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z.object({ usage: z.number(), limit: z.number(), stats: z.record(z.string(), z.number()) }),
  pids_stats: z.object({ current: z.number().default(0) }),
  networks: z
    .record(z.string(), z.object({ rx_bytes: z.number(), tx_bytes: z.number(), rx_packets: z.number() }))
    .optional(),
});

describe("an agent's series of its containers", () => {
  const MiB = 1 << 20;
  const engines = new Map<string, SocketApi>();
  afterAll(() => Promise.all([...engines.values()].map((engine) => engine.close())));

  function engineOf(host: string): SocketApi {
    const engine = engines.get(host) ?? new SocketApi(cluster.host(host).engineSocket);
    engines.set(host, engine);
    return engine;
  }

  /** What the engine says, as series of the agent's. */
  async function statsOf({ host, id, name }: HostContainer): Promise<Map<string, number>> {
    const stats = await engineOf(host).get(`/containers/${id}/stats?stream=false&one-shot=true`, EngineStats);
    const { memory_stats: memory, networks = {} } = stats;
    const traffic = Object.entries(networks).flatMap(
      ([device, { rx_bytes, tx_bytes, rx_packets }]): [string, number][] => [
        [`receive_bytes{${name} ${device}}`, rx_bytes],
        [`transmit_bytes{${name} ${device}}`, tx_bytes],
        [`receive_packets{${name} ${device}}`, rx_packets],
      ],
    );
    const inactive = memory.stats['total_inactive_file'] ?? memory.stats['inactive_file'] ?? 0;
    return new Map<string, number>([
      [`cpu{${name}}`, stats.cpu_stats.cpu_usage.total_usage / 1e9],
      [`usage{${name}}`, memory.usage],
      [`working_set{${name}}`, memory.usage - inactive],
      [`limit{${name}}`, memory.limit < totalmem() ? memory.limit : 0],
      [`threads{${name}}`, stats.pids_stats.current],
      ...traffic,
    ]);
  }

  /** The agent's series under the same names. */
  function measured({ series }: ExpositionPage, name: string): Map<string, number> {
    const own = [...series].filter(([key]) => key.includes(`name="${name}"`));
    const named = (metric: string) => own.filter(([key]) => key.startsWith(`${metric}{`));
    const sum = (metric: string) => named(metric).reduce((total, [, value]) => total + value, 0);
    const traffic = (metric: string, as: string) =>
      named(metric).map(([key, value]) => [`${as}{${name} ${/interface="([^"]*)"/.exec(key)?.[1]}}`, value] as const);
    return new Map([
      [`cpu{${name}}`, sum('container_cpu_usage_seconds_total')],
      [`usage{${name}}`, sum('container_memory_usage_bytes')],
      [`working_set{${name}}`, sum('container_memory_working_set_bytes')],
      [`limit{${name}}`, sum('container_spec_memory_limit_bytes')],
      [`threads{${name}}`, sum('container_threads')],
      ...traffic('container_network_receive_bytes_total', 'receive_bytes'),
      ...traffic('container_network_transmit_bytes_total', 'transmit_bytes'),
      ...traffic('container_network_receive_packets_total', 'receive_packets'),
    ]);
  }

  it.each(['h1', 'h3'])('agree with what the engine of %s says of them', async (host) => {
    const containers = (await cluster.hostContainers(host)).filter(({ running }) => running);
    expect(containers.length).toBeGreaterThan(0);
    for (const container of containers) {
      const before = await statsOf(container);
      const ours = measured(parseExposition(await agentPage(host)), container.name);
      const readings = { before, ours, after: await statsOf(container) };
      const agreements: [string, Agreement][] = [
        ['cpu', { kind: 'counter' }],
        ['usage', { kind: 'gauge', share: 0.1, slack: 4 * MiB }],
        ['working_set', { kind: 'gauge', share: 0.1, slack: 4 * MiB }],
        ['limit', { kind: 'exact' }],
        ['threads', { kind: 'gauge', share: 0, slack: 10 }],
        ['receive_bytes', { kind: 'counter' }],
        ['transmit_bytes', { kind: 'counter' }],
        ['receive_packets', { kind: 'counter' }],
      ];
      for (const [name, agreement] of agreements) {
        const { compared, wrong } = compareSeries(name, agreement, readings);
        expect(wrong).toEqual([]);
        expect([name, compared]).toEqual([name, 1]);
      }
    }
  });

  it('agree with docker stats', async () => {
    const shown = await cluster.engine(
      'h1',
      'stats',
      '--no-stream',
      '--no-trunc',
      '--format',
      '{{.Name}} {{.MemUsage}}',
    );
    const { series } = parseExposition(await agentPage('h1'));
    const lines = shown.split('\n').filter((line) => line.startsWith('web.'));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const [name = '', usage = ''] = line.split(' ');
      const ours = [...series].find(
        ([key]) => key.startsWith('container_memory_working_set_bytes{') && key.includes(`name="${name}"`),
      );
      const mebibytes = (ours?.[1] ?? 0) / MiB;
      const shownMebibytes = Number.parseFloat(usage);
      expect(usage).toMatch(/MiB$/);
      expect(Math.abs(mebibytes - shownMebibytes), `${name}: ${mebibytes} beside ${usage}`).toBeLessThan(
        4 + shownMebibytes / 10,
      );
    }
  });
});

describe('Prometheus', () => {
  let server: PrometheusServer;
  beforeAll(async () => {
    server = await startPrometheus({ coordinator: cluster.lab.plimUrl });
    await startDashboardLoad(cluster);
  });
  afterAll(async () => {
    await server.stop();
    await removeDashboardLoad(cluster);
  });

  it("has data for the expressions of others' dashboards", async () => {
    const dashboards = readDashboards(new URL('../compat/fixtures', import.meta.url).pathname);
    const complete = async () => {
      const report = reportOf(await checkDashboards(dashboards, prometheusAt(server.url)));
      if (!report.ok) throw new Error(renderTable(report));
      return report;
    };
    const report = await eventually(complete, {
      timeoutMs: 60_000,
      intervalMs: 1_000,
      what: 'data for all expressions',
    });
    expect(report.total.withData).toBe(7);
  });

  it('has had data for every expression of our dashboards, but for those reviewed as absent in health', async () => {
    let left: readonly Dashboard[] = readDashboards(dashboardsDirectory).map((dashboard) => ({
      ...dashboard,
      expressions: dashboard.expressions.filter((expression) => !isAbsentInHealth(expression)),
    }));
    expect(left.flatMap(({ expressions }) => expressions).length).toBeGreaterThan(250);
    const complete = async () => {
      left = await withoutData(left, prometheusAt(server.url));
      const empty = left.flatMap(({ expressions }) => expressions);
      if (empty.length > 0) throw new Error(empty.join('\n'));
      return true;
    };
    await eventually(complete, { timeoutMs: 120_000, intervalMs: 1_000, what: 'data for all expressions' });
  });
});

/** Names that others gave, which existing dashboards ask for. */
const foreignNames = [
  // cAdvisor's.
  /^container_(fs_inodes_total|memory_failcnt|cpu_load_d_average_10s) /,
  /^cadvisor_version_info /,
  // node_exporter's, after the kernel's own fields.
  /^node_(memory|netstat|sockstat)_\w+ metric names should be written in 'snake_case'/,
  /^node_entropy_(available|pool_size)_bits use base unit "bytes"/,
  // prom-client's.
  /^nodejs_active_(handles|requests|resources)_total non-counter metrics should not have "_total" suffix/,
];

describe('promtool', () => {
  const promtool = installedProgram('promtool', 'prometheus');

  it.each<[what: string, page: () => Promise<string>]>([
    ["the agent's page", () => agentPage('h1')],
    ["the coordinator's page", () => scrape(`${cluster.lab.plimUrl}/metrics`)],
  ])('finds nothing wrong with %s but names that others gave', async (_, page) => {
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], {
      input: await page(),
      encoding: 'utf8',
    });
    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
    expect(complaints.filter((line) => !foreignNames.some((pattern) => pattern.test(line)))).toEqual([]);
    expect([0, 3], 'ran, and could read the page').toContain(status);
  });
});

describe('docs/metrics.md', () => {
  it('has what the pages have, and no more', async () => {
    const documented = documentedFamilies(readFileSync(join(packageRoot(), 'docs', 'metrics.md'), 'utf8'));
    const urls = [
      `${cluster.lab.plimUrl}/metrics`,
      ...cluster.lab.hosts.map(({ address }) => `http://${address}:7701/metrics`),
    ];
    const pages = await Promise.all(urls.map(async (url) => parseExposition(await scrape(url))));
    expect(new Set(pages.flatMap((page) => undocumented(page, documented)))).toEqual(new Set());
    expect(unseen(pages, documented)).toEqual([]);
  });
});
