import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createContainerMetrics, type MeasuredContainer } from '../../../../agent/metrics/container-metrics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const id = 'a2facdfdb8183a61c2c00aeb8a72e9324389ef727295d5cf2873a9fcee43bba6';
const web: MeasuredContainer = {
  id,
  name: 'web.1.abc',
  image: 'plimsoll/hello:1',
  labels: { 'com.docker.swarm.service.name': 'web', 'com.docker.stack.namespace': 'shop', maintainer: 'me' },
  pid: 4242,
  startedAtMs: 1_795_410_145_341,
};

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Value by metric name and own labels, of a page measured on a tree under test/fixtures/cgroup. */
async function measure(tree: 'v1' | 'v2', containers: readonly MeasuredContainer[] = [web]) {
  const root = new URL(`../../../fixtures/cgroup/${tree}`, import.meta.url).pathname;
  const clock = new FakeClock(1_800_000_000_000);
  const metrics = createContainerMetrics({
    clock,
    read: readIfThere,
    cgroupRoot: `${root}/sys`,
    procRoot: `${root}/proc`,
  });
  const page = await metrics.page(containers);
  const identity = /\bid="[^"]*",image="[^"]*",name="[^"]*"(,container_label_\w+="[^"]*")*,?/;
  const lines = page.split('\n').filter((line) => line.startsWith('container_'));
  return { page, values: new Map(lines.map((line) => splitSample(line.replace(identity, '')))) };
}

function splitSample(line: string): [string, number] {
  const blank = line.lastIndexOf(' ');
  return [line.slice(0, blank).replace('{}', ''), Number(line.slice(blank + 1))];
}

describe('createContainerMetrics() on a recorded cgroup v1 host', () => {
  it('reads CPU time and throttling', async () => {
    const { values } = await measure('v1');

    expect(values.get('container_cpu_usage_seconds_total{cpu="total"}')).toBeCloseTo(3.463, 3);
    expect(values.get('container_cpu_user_seconds_total')).toBeCloseTo(2.58);
    expect(values.get('container_cpu_system_seconds_total')).toBeCloseTo(0.87);
    expect(values.get('container_cpu_cfs_periods_total')).toBe(259);
    expect(values.get('container_cpu_cfs_throttled_seconds_total')).toBeCloseTo(0.106, 3);
    expect(values.get('container_spec_cpu_quota')).toBe(50_000);
  });

  it('reads memory, and shows no limit as 0', async () => {
    const { values } = await measure('v1');

    expect(values.get('container_memory_rss')).toBe(7_122_944);
    expect(values.get('container_memory_cache')).toBe(188_416);
    expect(values.get('container_spec_memory_limit_bytes')).toBe(209_715_200);
    expect(values.get('container_spec_memory_reservation_limit_bytes')).toBe(0);
    expect(values.get('container_memory_failures_total{failure_type="pgfault",scope="container"}')).toBe(70_574);
  });

  it('reads the traffic of every device but loopback', async () => {
    const { values } = await measure('v1');

    expect(values.get('container_network_receive_bytes_total{interface="eth0"}')).toBe(5_698);
    expect(values.get('container_network_transmit_packets_total{interface="eth0"}')).toBe(40);
    expect([...values.keys()].filter((name) => name.includes('"lo"'))).toEqual([]);
  });

  it('says who the container is in the labels cAdvisor uses, and leaves other labels out', async () => {
    const { page } = await measure('v1');

    expect(page).toContain(
      `container_last_seen{id="/docker/${id}",image="plimsoll/hello:1",name="web.1.abc",` +
        'container_label_com_docker_swarm_service_name="web",container_label_com_docker_stack_namespace="shop"} 1800000000\n',
    );
    expect(page).not.toContain('maintainer');
  });
});

describe('createContainerMetrics() on a cgroup v2 host with the systemd driver', () => {
  it('reads the same metrics from the files v2 has', async () => {
    const { values } = await measure('v2');

    expect(Object.fromEntries(values)).toMatchObject({
      'container_cpu_usage_seconds_total{cpu="total"}': 1.25,
      container_cpu_cfs_throttled_periods_total: 3,
      container_memory_usage_bytes: 8_212_480,
      container_memory_working_set_bytes: 8_212_480 - 40_960,
      container_memory_rss: 6_860_800,
      container_memory_max_usage_bytes: 15_958_016,
      container_memory_failcnt: 7,
      container_oom_events_total: 1,
      container_processes: 2,
      container_threads: 11,
      container_threads_max: 0,
      container_spec_cpu_shares: 2597,
      container_spec_cpu_period: 100_000,
      container_spec_memory_reservation_limit_bytes: 104_857_600,
      container_spec_memory_swap_limit_bytes: 0,
    });
  });

  it("measures the container's whole group, not the one its first process made below", async () => {
    const { page } = await measure('v2');

    expect(page).toContain(`id="/system.slice/docker-${id}.scope"`);
  });
});

describe('createContainerMetrics()', () => {
  it('leaves out containers that do not run, are gone, or whose pid is another program by now', async () => {
    const { values } = await measure('v1', [
      { ...web, pid: undefined },
      { ...web, pid: 9999 },
      { ...web, id: 'b'.repeat(64) },
    ]);

    expect(values.size).toBe(0);
  });

  it('escapes what would break the page', async () => {
    const { page } = await measure('v1', [{ ...web, image: 'a"b\\c\nd' }]);

    expect(page).toContain('image="a\\"b\\\\c\\nd"');
  });
});
