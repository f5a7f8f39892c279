/** What the cluster's containers use, as `docker stats` and `plim top` show it, beside what each host's own engine says. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { NodeUsage, ServiceUsage, TaskUsageRow } from '../../model/native-api.ts';
import { type Cluster, linesOf, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { builtPlim } from '../support/plim.ts';

const run = promisify(execFile);
const MIB = 2 ** 20;
/** The limit of each task of the busy service. */
const CPU_LIMIT = 0.3;

describe('usage', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
    const limits = ['--limit-cpu', String(CPU_LIMIT), '--limit-memory', '64m'];
    await cluster.create('idle', '--replicas', '3', '--limit-memory', '32m', 'plimsoll/sleep:1');
    const spin = ['plimsoll/sleep:1', '/bin/sh', '-c', 'while :; do :; done'];
    await cluster.create('busy', ...limits, '--constraint', 'node.hostname==h2', ...spin);
    await cluster.settled('idle', 3);
    await cluster.settled('busy', 1);
  });

  afterAll(() => cluster.clear());

  async function top<T>(kind: string, row: z.ZodType<T>): Promise<T[]> {
    const words = [builtPlim(), 'top', kind, '--format', 'json', '--socket', cluster.lab.clusterSocket];
    return z.array(row).parse(JSON.parse((await run(process.execPath, words)).stdout));
  }

  it('docker stats shows of every container what its own engine does, in the same columns', async () => {
    // What does not change from one moment to the next, and of the rest the unit.
    const format = '{{.ID}} {{.Name}} {{.MemUsage}} {{.PIDs}}';
    const stable = (rows: string) =>
      linesOf(rows)
        .map((row) => row.replace(/ \S+ \/ /, ' ... / '))
        .toSorted();
    const shown = await cluster.docker('stats', '--no-stream', '--format', format);
    const perHost = await Promise.all(
      cluster.lab.hosts.map(({ name }) => cluster.engine(name, 'stats', '--no-stream', '--format', format)),
    );
    expect(stable(shown)).toEqual(stable(perHost.join('\n')));
    expect(linesOf(shown)).toHaveLength(4);
    const heading = (table: string) =>
      linesOf(table)[0]
        ?.split(/ {2,}/)
        .map((word) => word.trim());
    const [ofCluster, ofHost] = [
      await cluster.docker('stats', '--no-stream'),
      await cluster.engine('h2', 'stats', '--no-stream'),
    ];
    expect(heading(ofCluster)).toEqual(heading(ofHost));
  });

  it('docker stats of one container follows it, and knows how busy it is', async () => {
    const [busy] = await cluster.serviceContainers('busy');
    const following = cluster.follow('stats', '--format', '{{.Name}} {{.CPUPerc}}', busy?.name ?? '');
    const percentages = () =>
      following.lines.flatMap((line) =>
        line.includes(`${busy?.name} `) ? [Number.parseFloat(line.split(' ')[1] ?? '')] : [],
      );
    await eventually(() => percentages().filter((percent) => percent > 1).length >= 2, {
      timeoutMs: 30_000,
      what: 'two rows of a busy container',
    });
    following.stop();
  });

  it('plim top shows the busy task first, beside its limits, and counts it for its service and node', async () => {
    const rows = await eventually(
      async () => {
        const tasks = await top('tasks', TaskUsageRow);
        return tasks.length === 4 && (tasks[0]?.cpuCores ?? 0) > 0.01 ? tasks : undefined;
      },
      { timeoutMs: 30_000, intervalMs: 1_000, what: 'four tasks, one of them busy' },
    );
    expect(rows[0]).toMatchObject({ name: 'busy.1', node: 'h2', cpuLimitCores: CPU_LIMIT, memoryLimitBytes: 64 * MIB });
    expect(rows[0]?.cpuCores).toBeLessThan(CPU_LIMIT * 1.5);
    expect(
      rows
        .slice(1)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['idle.1', 'idle.2', 'idle.3']);
    const services = await top('services', ServiceUsage);
    expect(services.map(({ name, tasks, desired }) => `${name} ${tasks}/${desired}`)).toEqual(['busy 1/1', 'idle 3/3']);
    const nodes = await top('nodes', NodeUsage);
    expect(nodes.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
    expect(nodes.find(({ name }) => name === 'h2')).toMatchObject({ cpuTotalCores: expect.any(Number), tasks: 2 });
  });

  it('says of the memory of a task what its engine says', async () => {
    const [container] = await cluster.serviceContainers('busy');
    const stats = await cluster.engine('h2', 'stats', '--no-stream', '--format', '{{.MemUsage}}', container?.id ?? '');
    const rows = await top('tasks', TaskUsageRow);
    const shown = rows.find(({ name }) => name === 'busy.1')?.memoryBytes ?? 0;
    const [, amount, unit] = /^([\d.]+)([KM])iB/.exec(stats) ?? [];
    const told = Number(amount) * (unit === 'M' ? MIB : 1024);
    expect(Math.abs(shown - told)).toBeLessThan(0.25 * MIB);
  });

  it('a host that is cut off hides no others and hangs nothing', async () => {
    const containers = await cluster.serviceContainers('idle');
    const away = containers.find(({ host }) => host === 'h3');
    await cluster.lab.command('cut', 'h3');
    const { stdout } = await cluster.try('stats', '--no-stream', '--format', '{{.Name}} {{.MemPerc}}');
    expect(stdout).toMatch(/^busy\.1\.\S+ \d/m);
    await eventually(async () => (await cluster.nodeStatus('h3')) === 'down', { timeoutMs: 60_000, intervalMs: 200 });
    const page = await fetch(`${cluster.lab.plimUrl}/v1/nodes/h3/metrics`);
    expect([page.status, await page.text()]).toEqual([503, expect.stringContaining('Node h3 is lost')]);
    expect((await cluster.try('stats', '--no-stream', away?.id ?? '')).stderr).toContain('is down');
    await cluster.lab.command('heal', 'h3');
    await cluster.whole();
  });
});
