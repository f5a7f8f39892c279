import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DockerEngine } from '../../../agent/engine/docker-engine.ts';
import { ContainerCgroups } from '../../../agent/metrics/container-cgroups.ts';
import { KernelFiles } from '../../../agent/metrics/kernel-files.ts';
import { createNodeMetrics, type NodeMetrics } from '../../../agent/metrics/node-metrics.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { createLog } from '../../../runtime/log.ts';
import { eventually } from '../../support/eventually.ts';
import { pageText } from '../../support/page-text.ts';
import { type PrivateEngine, startPrivateEngine, testImage } from '../../support/private-engine.ts';
import { metricValue } from '../../support/prometheus-text.ts';

/** What we compare of `GET /containers/{id}/stats`. */
const Stats = z.object({
  cpu_stats: z.object({
    cpu_usage: z.object({ total_usage: z.number(), usage_in_kernelmode: z.number(), usage_in_usermode: z.number() }),
  }),
  memory_stats: z.object({ usage: z.number(), limit: z.number(), stats: z.record(z.string(), z.number()) }),
  pids_stats: z.object({ current: z.number() }),
  networks: z.record(z.string(), z.object({ rx_bytes: z.number(), tx_bytes: z.number() })).default({}),
});
type Stats = z.infer<typeof Stats>;

/** Of seconds added up over processors. */
const ROUNDING = 1e-6;
/** The kernel charges memory ahead, for each processor, and gives it back late. */
const BATCHED_BYTES = 512 << 10;
const WORK = 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo done > /tmp/done; sleep 1000; true';

describe('the page of a node on a real engine', () => {
  const log = createLog('test', 'silent');
  const ended = new AbortController();
  let engine: PrivateEngine;
  let docker: DockerEngine;
  let node: NodeMetrics;
  let watching: Promise<void>;

  beforeAll(async () => {
    engine = await startPrivateEngine();
    docker = new DockerEngine(engine.address, systemClock, log);
    const files = new KernelFiles(100);
    const roots = { procRoot: '/proc', sysRoot: '/sys', rootfs: '/' };
    const cgroups = new ContainerCgroups(files, roots);
    const parts = { engine: docker, clock: systemClock, log, files, cgroups, roots, measureLayers: true };
    node = createNodeMetrics({ ...parts, nodeId: 'node1', version: '0.0.0' });
    watching = node.watch(ended.signal);
  });
  afterAll(async () => {
    ended.abort();
    await watching;
    await engine.stop();
  });

  const page = async () => pageText(await node.page({ ownContainers: [], dockerVersion: '1' }));
  const pageWhere = (holds: (text: string) => boolean, what: string) =>
    eventually(
      async () => {
        const text = await page();
        return holds(text) ? text : undefined;
      },
      { what, timeoutMs: 30_000 },
    );

  async function engineStats(name: string): Promise<Stats> {
    const stream = docker.stats(name, { stream: false, oneShot: true }, ended.signal);
    let text = '';
    for await (const chunk of stream) text += Buffer.from(chunk).toString();
    return Stats.parse(JSON.parse(text));
  }

  it('shows what the engine and procfs show of a container that is not ours', async () => {
    await engine.docker(
      'run',
      '-d',
      '--name',
      'worker',
      '--memory',
      '64m',
      '--cpus',
      '1.5',
      testImage,
      'sh',
      '-c',
      WORK,
    );
    await eventually(() => engine.docker('exec', 'worker', 'test', '-f', '/tmp/done').then(() => true), {
      what: 'the work is done',
      timeoutMs: 30_000,
    });
    await pageWhere((text) => text.includes('name="worker"'), 'the container is on the page');

    const before = await engineStats('worker');
    const text = await page();
    const after = await engineStats('worker');
    const value = (name: string, labels = {}) => metricValue(text, name, { name: 'worker', ...labels });
    /** Counters only grow: what we read lies between what the engine read before and after. */
    const expectBetween = (ours: number, theirs: (stats: Stats) => number) => {
      expect(ours).toBeGreaterThanOrEqual(theirs(before) - ROUNDING);
      expect(ours).toBeLessThanOrEqual(theirs(after) + ROUNDING);
    };
    const cpu = (stats: Stats) => stats.cpu_stats.cpu_usage;
    expectBetween(value('container_cpu_usage_seconds_total'), (stats) => cpu(stats).total_usage / 1e9);
    expectBetween(value('container_cpu_user_seconds_total'), (stats) => cpu(stats).usage_in_usermode / 1e9);
    expectBetween(value('container_cpu_system_seconds_total'), (stats) => cpu(stats).usage_in_kernelmode / 1e9);
    expectBetween(value('container_network_receive_bytes_total'), ({ networks }) => networks.eth0?.rx_bytes ?? 0);
    expectBetween(value('container_network_transmit_bytes_total'), ({ networks }) => networks.eth0?.tx_bytes ?? 0);
    expect(value('container_cpu_usage_seconds_total')).toBeGreaterThan(0);
    expect(Math.abs(value('container_memory_usage_bytes') - before.memory_stats.usage)).toBeLessThan(BATCHED_BYTES);
    expect(value('container_spec_memory_limit_bytes')).toBe(64 * 2 ** 20);
    expect(value('container_spec_cpu_quota') / value('container_spec_cpu_period')).toBe(1.5);
    expect(value('container_threads')).toBe(before.pids_stats.current);
    expect(value('container_health_state')).toBe(-1);
    expectProcesses(value, await engine.docker('inspect', '-f', '{{.State.Pid}}', 'worker'));
  });

  function expectProcesses(value: (name: string, labels?: object) => number, pid: string): void {
    expect(value('container_processes')).toBe(2);
    expect(value('container_tasks_state', { state: 'sleeping' })).toBe(2);
    expect(value('container_file_descriptors')).toBeGreaterThanOrEqual(6);
    const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? [];
    expect(value('container_ulimits_soft')).toBe(Number(limit));
  }

  it('measures the writable layer when asked to', async () => {
    const size = 3 * 2 ** 20;
    await engine.docker('run', '-d', '--name', 'writer', testImage, 'sh', '-c', `${fileOf(size)}; sleep 1000`);

    const text = await pageWhere(
      (candidate) => metricValue(candidate, 'container_fs_usage_bytes', { name: 'writer' }) >= size,
      'the layer is measured',
    );

    const used = metricValue(text, 'container_fs_usage_bytes', { name: 'writer' });
    expect(used).toBeLessThan(size + 2 ** 20);
    expect(metricValue(text, 'container_fs_limit_bytes', { name: 'writer' })).toBeGreaterThan(used);
  });

  it('counts the processes a service lost for want of memory, also when the container is gone', async () => {
    const hog = 'x=0123456789abcdef; while true; do x=$x$x; done';
    const labels = ['--label', 'com.docker.swarm.service.name=hog', '--label', 'com.docker.stack.namespace=shop'];
    await engine.docker('run', '--rm', '--memory', '8m', ...labels, testImage, 'sh', '-c', hog).catch(() => '');

    const text = await pageWhere(
      (candidate) => metricValue(candidate, 'plimsoll_agent_oom_kills_total', { service: 'hog', stack: 'shop' }) > 0,
      'the kill is counted',
    );

    expect(metricValue(text, 'plimsoll_agent_oom_kills_total', { service: 'hog' })).toBe(1);
    expect(text).not.toContain('container_label_com_docker_swarm_service_name="hog"');
  });

  it('forgets a container that has ended', async () => {
    await engine.docker('rm', '-f', 'worker');

    const text = await pageWhere((candidate) => !candidate.includes('name="worker"'), 'it is off the page');
    expect(text).toContain('name="writer"');
  });

  it('shows the host as id="/"', async () => {
    const text = await page();
    const host = (name: string) => metricValue(text, name, { id: '/' });

    expect(host('container_cpu_usage_seconds_total')).toBeGreaterThan(0);
    const [, kilobytes] = /^MemTotal: +(\d+) kB/.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
    expect(host('container_spec_memory_limit_bytes')).toBe(Number(kilobytes) * 1024);
    expect(metricValue(text, 'machine_memory_bytes')).toBe(Number(kilobytes) * 1024);
    expect(host('container_fs_limit_bytes')).toBeGreaterThan(0);
  });

  it('reads once for scrapes that come at the same time', async () => {
    const facts = { ownContainers: [], dockerVersion: '1' };

    const [one, other] = await Promise.all([node.page(facts), node.page(facts)]);

    expect(one.pieces).toBe(other.pieces);
    for (const page of [one, other]) page.release();
  });
});

/** A shell line that writes a file of that size: a kilobyte at a time, from nothing but the shell. */
function fileOf(bytes: number): string {
  const kilobyte = 'x'.repeat(1023);
  return `i=0; while [ $i -lt ${bytes / 1024} ]; do echo ${kilobyte}; i=$((i+1)); done > /tmp/file`;
}
