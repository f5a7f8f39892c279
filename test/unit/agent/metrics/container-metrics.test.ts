import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDeviceNames } from '../../../../agent/metrics/block-devices.ts';
import { ContainerCgroups } from '../../../../agent/metrics/container-cgroups.ts';
import { ContainerMetrics, type MeasuredContainer } from '../../../../agent/metrics/container-metrics.ts';
import { ContainerPage } from '../../../../agent/metrics/container-page.ts';
import { KernelFiles } from '../../../../agent/metrics/kernel-files.ts';
import { OomKills } from '../../../../agent/metrics/oom-kills.ts';
import type { HostRoots } from '../../../../agent/metrics/roots.ts';
import { Turns } from '../../../../agent/metrics/turns.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { kernelTree, rootsAt } from '../../../support/kernel-tree.ts';
import { textWritten } from '../../../support/page-text.ts';

const id = 'a2facdfdb8183a61c2c00aeb8a72e9324389ef727295d5cf2873a9fcee43bba6';
const web: MeasuredContainer = {
  id,
  name: 'web.1.abc',
  image: 'plimsoll/hello:1',
  imageId: 'sha256:1234',
  labels: {
    'com.docker.swarm.service.name': 'web',
    'com.docker.stack.namespace': 'shop',
    'plimsoll.slot': '1',
    'plimsoll.attempt': '2',
    maintainer: 'me',
  },
  pid: 4242,
  startedAtMs: 1_795_410_145_341,
  createdAtMs: 1_795_410_145_000,
  health: 'healthy',
};

const recorded = (tree: 'v1' | 'v2') => rootsAt(new URL(`../../../fixtures/cgroup/${tree}`, import.meta.url).pathname);

function metricsOn(roots: HostRoots) {
  const clock = new FakeClock(1_800_000_000_000);
  const files = new KernelFiles(1_000);
  const cgroups = new ContainerCgroups(files, roots);
  const deviceNames = createDeviceNames(() => files.read(`${roots.procRoot}/diskstats`));
  const oomKills = new OomKills();
  const metrics = new ContainerMetrics({ clock, files, roots, cgroups, deviceNames, oomKills, nodeName: 'h1' });
  onTestFinished(() => cgroups.forgetAllBut(new Set()));
  const page = async (containers: readonly MeasuredContainer[]) => {
    const page = new ContainerPage();
    await metrics.collect(containers, page, new Turns(clock));
    return textWritten((writer, turns) => page.write(writer, turns));
  };
  return { page, metrics, clock, oomKills };
}

/** Value by metric name and own labels. */
async function measure(roots: HostRoots, containers: readonly MeasuredContainer[] = [web]) {
  const page = await metricsOn(roots).page(containers);
  const identity = /\bid="[^"]*",image="[^"]*",name="[^"]*"(,container_label_\w+="[^"]*")*,?/;
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { page, values: Object.fromEntries(lines.map((line) => splitSample(line.replace(identity, '')))) };
}

function splitSample(line: string): [string, number] {
  const blank = line.lastIndexOf(' ');
  return [line.slice(0, blank).replace('{}', ''), Number(line.slice(blank + 1))];
}

describe('ContainerMetrics on a recorded host with cgroup v1 and the unified hierarchy beside it', () => {
  it('reads every metric such a host has', async () => {
    const { values } = await measure(recorded('v1'));

    const device = 'device="/dev/vda"';
    const blockDevice = `${device},major="254",minor="0"`;
    expect(values).toMatchObject({
      'container_cpu_usage_seconds_total{cpu="cpu00"}': 3.463121237,
      container_cpu_user_seconds_total: 2.58,
      container_cpu_system_seconds_total: 0.87,
      container_cpu_cfs_periods_total: 259,
      container_cpu_cfs_throttled_periods_total: 3,
      container_cpu_cfs_throttled_seconds_total: 0.10616284,
      container_cpu_cfs_burst_periods_total: 0,
      container_cpu_cfs_burst_seconds_total: 0,
      container_cpu_load_average_10s: 0,
      container_cpu_load_d_average_10s: 0,
      'container_tasks_state{state="sleeping"}': 1,
      'container_tasks_state{state="running"}': 0,
      'container_tasks_state{state="stopped"}': 0,
      'container_tasks_state{state="uninterruptible"}': 0,
      'container_tasks_state{state="iowaiting"}': 0,
      container_memory_rss: 7_122_944,
      container_memory_cache: 188_416,
      container_memory_mapped_file: 139_264,
      container_memory_swap: 0,
      container_memory_total_active_file_bytes: 188_416,
      container_memory_total_inactive_file_bytes: 0,
      container_memory_file_dirty_bytes: 0,
      container_memory_workingset_refault_file_total: 46,
      'container_memory_failures_total{failure_type="pgfault",scope="container"}': 70_574,
      'container_memory_failures_total{failure_type="pgmajfault",scope="hierarchy"}': 5,
      container_pressure_cpu_waiting_seconds_total: 1.5,
      container_pressure_cpu_stalled_seconds_total: 0,
      container_pressure_io_waiting_seconds_total: 0.25,
      container_pressure_io_stalled_seconds_total: 0.125,
      [`container_fs_reads_bytes_total{${device}}`]: 1_753_088,
      [`container_fs_writes_bytes_total{${device}}`]: 61_440,
      [`container_fs_reads_total{${device}}`]: 52,
      [`container_fs_writes_total{${device}}`]: 15,
      'container_fs_reads_total{device="/dev/nvme0n1p1"}': 1,
      [`container_blkio_device_usage_total{${blockDevice},operation="Async"}`]: 61_440,
      'container_network_receive_bytes_total{interface="eth0"}': 5_698,
      'container_network_transmit_packets_total{interface="eth0"}': 40,
      container_processes: 1,
      'container_ulimits_soft{ulimit="max_open_files"}': 1_048_576,
      container_last_seen: 1_800_000_000,
      container_start_time_seconds: 1_795_410_145.341,
      container_creation_time_seconds: 1_795_410_145,
      container_health_state: 1,
      container_spec_cpu_quota: 50_000,
      container_spec_memory_limit_bytes: 209_715_200,
      container_spec_memory_reservation_limit_bytes: 0,
    });
  });

  it('leaves out loopback, and rows of all devices together', async () => {
    const { page } = await measure(recorded('v1'));

    expect(page).not.toContain('"lo"');
    expect(page).not.toContain('device=""');
    expect(page).not.toContain('undefined');
  });

  it('says who the container is in the labels dashboards join on, and leaves other labels out', async () => {
    const { page } = await measure(recorded('v1'));

    const identity =
      `id="/docker/${id}",image="plimsoll/hello:1",name="web.1.abc",` +
      'container_label_com_docker_swarm_service_name="web",container_label_com_docker_stack_namespace="shop"';
    expect(page).toContain(`container_last_seen{${identity}} 1800000000\n`);
    expect(page).toContain(
      `plimsoll_container_info{${identity},container_id="${id}",image_id="sha256:1234",node_name="h1",` +
        'service="web",stack="shop",slot="1",attempt="2"} 1\n',
    );
    expect(page).not.toContain('maintainer');
  });
});

describe('ContainerMetrics on a cgroup v2 host with the systemd driver', () => {
  it('reads the same metrics from the files v2 has', async () => {
    const { values } = await measure(recorded('v2'));

    expect(values).toMatchObject({
      'container_cpu_usage_seconds_total{cpu="total"}': 1.25,
      container_cpu_cfs_throttled_periods_total: 3,
      container_cpu_cfs_throttled_seconds_total: 0.106162,
      'container_tasks_state{state="sleeping"}': 1,
      'container_tasks_state{state="uninterruptible"}': 1,
      container_cpu_load_d_average_10s: 1000,
      container_memory_usage_bytes: 8_212_480,
      container_memory_working_set_bytes: 8_212_480 - 40_960,
      container_memory_rss: 6_860_800,
      container_memory_kernel_usage: 1_060_864,
      container_memory_max_usage_bytes: 15_958_016,
      container_memory_failcnt: 7,
      container_memory_events_max_total: 7,
      container_memory_events_high_total: 0,
      container_memory_file_dirty_bytes: 8_192,
      container_memory_file_writeback_bytes: 4_096,
      container_memory_pgscan_total: 300,
      container_memory_pgsteal_total: 250,
      container_memory_workingset_refault_anon_total: 2,
      container_oom_events_total: 1,
      container_pressure_cpu_stalled_seconds_total: 0.000007,
      'container_fs_reads_bytes_total{device="/dev/nvme0n1"}': 1_753_088,
      'container_fs_writes_total{device="/dev/nvme0n1"}': 15,
      'container_fs_io_cost_usage_seconds_total{device="/dev/nvme0n1"}': 2.5,
      'container_blkio_device_usage_total{device="/dev/nvme0n1",major="259",minor="0",operation="Write"}': 61_440,
      container_processes: 2,
      container_threads: 11,
      container_threads_max: 0,
      container_spec_cpu_shares: 1024,
      container_spec_cpu_period: 100_000,
      container_spec_memory_reservation_limit_bytes: 104_857_600,
      container_spec_memory_swap_limit_bytes: 0,
    });
  });

  it('names a device that no list has by its numbers', async () => {
    const { values } = await measure(recorded('v2'));

    expect(values['container_fs_reads_total{device="0:45"}']).toBe(1);
  });

  it("measures the container's whole group, not the one its first process made below", async () => {
    const { page } = await measure(recorded('v2'));

    expect(page).toContain(`id="/system.slice/docker-${id}.scope"`);
  });

  it('finds the group of a container that an agent in a container is told of by a relative path', async () => {
    const group = `sys/fs/cgroup/system.slice/docker-${id}.scope`;
    const roots = kernelTree({
      'proc/4242/cgroup': `0::/../docker-${id}.scope\n`,
      [`${group}/cpu.stat`]: 'usage_usec 1000000\n',
      [`${group}/memory.events`]: 'oom 0\noom_kill 0\n',
      [`${group}/memory.current`]: '4096\n',
      [`${group}/cgroup.procs`]: '4242\n',
    });

    const { page } = await measure(roots);

    expect(page).toContain(`container_memory_usage_bytes{id="/system.slice/docker-${id}.scope"`);
  });
});

describe('ContainerMetrics', () => {
  it('leaves out containers that do not run, are gone, or whose pid is another program by now', async () => {
    const { values } = await measure(recorded('v1'), [
      { ...web, pid: undefined },
      { ...web, pid: 9999 },
      { ...web, id: 'b'.repeat(64) },
    ]);

    expect(values).toEqual({});
  });

  it('escapes what would break the page', async () => {
    const { page } = await measure(recorded('v1'), [{ ...web, image: 'a"b\\c\nd' }]);

    expect(page).toContain('image="a\\"b\\\\c\\nd"');
  });

  it('is not broken by a network device whose name has a quotation mark', async () => {
    const group = `sys/fs/cgroup/docker/${id}`;
    const roots = kernelTree({
      'proc/4242/cgroup': `0::/docker/${id}\n`,
      'proc/4242/net/dev': '  a"b\\: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n',
      [`${group}/cpu.stat`]: 'usage_usec 1000000\n',
    });

    expect((await measure(roots)).page).toContain('interface="a\\"b\\\\"');
  });

  it('shows what changed since the last page, a limit once the engine told of it or after some pages', async () => {
    const group = `sys/fs/cgroup/docker/${id}`;
    const roots = kernelTree({
      'proc/4242/cgroup': `0::/docker/${id}\n`,
      [`${group}/cpu.stat`]: 'usage_usec 1000000\n',
      [`${group}/memory.current`]: '4096\n',
      [`${group}/memory.max`]: '65536\n',
    });
    const write = (name: string, text: string) => writeFileSync(join(roots.rootfs, group, name), text);
    const { page, metrics } = metricsOn(roots);
    const memory = async () => {
      const text = await page([web]);
      const value = (name: string) => Number(new RegExp(`^${name}\\{.*\\} (.*)$`, 'm').exec(text)?.[1]);
      return [value('container_memory_usage_bytes'), value('container_spec_memory_limit_bytes')];
    };
    expect(await memory()).toEqual([4096, 65_536]);

    write('memory.current', '8192\n');
    write('memory.max', '131072\n');
    expect(await memory()).toEqual([8192, 65_536]);
    metrics.settingsChanged(id);
    expect(await memory()).toEqual([8192, 131_072]);

    write('memory.max', '262144\n');
    const limits = [];
    for (let pages = 0; pages < 8; pages += 1) limits.push((await memory())[1]);
    expect(limits).toEqual([...Array.from({ length: 7 }, () => 131_072), 262_144]);
  });

  it('shows a new name of a container at once', async () => {
    const { page } = metricsOn(recorded('v1'));
    await page([web]);

    expect(await page([{ ...web, name: 'renamed' }])).not.toContain('name="web.1.abc"');
  });

  it('tells a container without a health check from one that is not healthy', async () => {
    const health = async (state: MeasuredContainer['health']) =>
      (await measure(recorded('v1'), [{ ...web, health: state }])).values.container_health_state;

    expect([await health('none'), await health('starting'), await health('unhealthy')]).toEqual([-1, 0, 0]);
  });

  it("shows no traffic for a container in the host's network: it would be the host's", async () => {
    const group = `sys/fs/cgroup/docker/${id}`;
    const roots = kernelTree({
      'proc/4242/cgroup': `0::/docker/${id}\n`,
      'proc/4242/net/dev': '  eth0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n',
      'proc/4242/ns/x': '',
      'proc/1/ns/x': '',
      [`${group}/cpu.stat`]: 'usage_usec 1000000\n',
    });
    for (const pid of [1, 4242]) symlinkSync('net:[4026531840]', `${roots.procRoot}/${pid}/ns/net`);

    const { page } = await measure(roots);

    expect(page).toContain('container_cpu_usage_seconds_total');
    expect(page).not.toContain('container_network');
  });

  it('groups each metric under one heading', async () => {
    const { page } = await measure(recorded('v1'), [web, { ...web, name: 'again' }]);

    const headings = page.split('\n').filter((line) => line.startsWith('# TYPE '));
    expect(new Set(headings).size).toBe(headings.length);
    const order = page.split('\n').flatMap((line) => /^(container_\w+)[{ ]/.exec(line)?.[1] ?? []);
    const changes = order.filter((name, index) => name !== order[index - 1]);
    expect(new Set(changes).size).toBe(changes.length);
  });
});
