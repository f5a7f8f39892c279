/** What an agent on a real engine says of its containers when asked, and unasked. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ContainerCgroups } from '../../../agent/metrics/container-cgroups.ts';
import { KernelFiles } from '../../../agent/metrics/kernel-files.ts';
import { createUsageMeter } from '../../../agent/usage/usage-meter.ts';
import { NodePages } from '../../../coordinator/node-pages.ts';
import { Usage } from '../../../model/messages.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { AgentOnMemoryBus } from '../../support/agent-on-memory-bus.ts';
import { eventually } from '../../support/eventually.ts';
import { type PrivateEngine, startPrivateEngine } from '../../support/private-engine.ts';
import { aTask } from '../../support/tasks.ts';

const MIB = 2 ** 20;
const roots = { procRoot: '/proc', sysRoot: '/sys', rootfs: '/' };

const Stats = z.object({
  id: z.string(),
  pids_stats: z.object({ current: z.number() }),
  memory_stats: z.object({ usage: z.number(), limit: z.number() }),
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
});

describe('usage on a real engine', () => {
  let engine: PrivateEngine;
  let lab: AgentOnMemoryBus;
  let containerId: string;
  const files = new KernelFiles(16);
  const cgroups = new ContainerCgroups(files, roots);
  const task = aTask({
    container: { Args: ['sh', '-c', 'while :; do :; done'] },
    template: { Resources: { Limits: { NanoCPUs: 200_000_000, MemoryBytes: 32 * MIB } } },
  });

  beforeAll(async () => {
    engine = await startPrivateEngine();
    lab = await AgentOnMemoryBus.create(engine.address);
    await lab.start({ usageMeter: createUsageMeter({ clock: systemClock, files, cgroups, roots }) });
    await lab.assign(task);
    const status = await lab.statusWhere(task, ({ ready }) => ready, 'the task is ready');
    containerId = status.containerId ?? '';
  });
  afterAll(async () => {
    await lab.dispose();
    cgroups.forgetAllBut(new Set());
    await engine.stop();
  });

  async function stats(id: string, stream: boolean): Promise<z.infer<typeof Stats>[]> {
    const request = { id, stream, oneShot: false };
    const seen: z.infer<typeof Stats>[] = [];
    const leaving = new AbortController();
    let rest = '';
    for await (const chunk of lab.leader.bus.askNodeStream(lab.nodeId, 'stats', request, leaving.signal)) {
      const lines = (rest + Buffer.from(chunk).toString()).split('\n');
      rest = lines.pop() ?? '';
      seen.push(...lines.map((line) => Stats.parse(JSON.parse(line))));
      if (seen.length >= 2) leaving.abort();
    }
    return seen;
  }

  it('is said every other second, with the rates of the kernel and the limits of the task', async () => {
    const heard: Usage[] = [];
    lab.leader.bus.subscribe(`plim.usage.${lab.nodeId}`, Usage, (usage) => void heard.push(usage));
    const busy = await eventually(() => heard.at(-1)?.tasks.find(({ cpuCores }) => (cpuCores ?? 0) > 0.01), {
      timeoutMs: 20_000,
      what: 'a busy task',
    });

    const [told] = await stats(containerId, false);
    expect(busy).toMatchObject({ taskId: task.id, cpuLimitCores: 0.2, memoryLimitBytes: 32 * MIB });
    expect(busy.cpuCores).toBeLessThan(0.3);
    expect(Math.abs(busy.memoryBytes - (told?.memory_stats.usage ?? 0))).toBeLessThan(MIB);
    expect(heard.at(-1)).toMatchObject({ cpuCores: expect.any(Number), disk: { totalBytes: expect.any(Number) } });
  });

  it('the engine’s own figures come once, or for as long as they are wanted', async () => {
    const [once, ...more] = await stats(containerId.slice(0, 12), false);
    const [first, second] = await stats(containerId, true);

    expect(more).toEqual([]);
    expect(once).toMatchObject({ id: containerId, pids_stats: { current: 1 }, memory_stats: { limit: 32 * MIB } });
    expect(second?.cpu_stats.cpu_usage.total_usage).toBeGreaterThan(first?.cpu_stats.cpu_usage.total_usage ?? 0);
  });

  it('there are none of a container that is not there', async () => {
    await expect(stats('nothing', true)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('its page over the bus is the page of its port', async () => {
    const pages = new NodePages({ bus: lab.leader.bus, clock: systemClock });
    const overBus = String(await pages.page({ id: lab.nodeId, name: 'host' }));
    const direct = await (await fetch(`http://127.0.0.1:${lab.agent?.port}/metrics`)).text();

    const families = (page: string) => page.match(/^# TYPE .*$/gm);
    expect(families(overBus)).toEqual(families(direct));
    expect(families(overBus)?.length).toBeGreaterThan(10);
  });
});
