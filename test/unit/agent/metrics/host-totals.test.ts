import { describe, expect, it } from 'vitest';
import { ContainerCgroups } from '../../../../agent/metrics/container-cgroups.ts';
import { HostTotals } from '../../../../agent/metrics/host-totals.ts';
import { KernelFiles } from '../../../../agent/metrics/kernel-files.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { kernelTree, rootsAt } from '../../../support/kernel-tree.ts';

const proc = {
  'proc/meminfo': 'MemTotal:       1024 kB\nMemFree:         512 kB\n',
  'proc/stat': 'cpu  1 2 3\nbtime 1700000000\n',
  'proc/1/net/dev':
    'Inter-|\n face |\n  eth0:    5698      68    0    0    0     0          0         0     4298      40 0 0 0 0 0 0\n',
};

function totalsOn(files: Record<string, string>): Record<string, number> {
  const roots = kernelTree({ ...proc, ...files });
  const kernelFiles = new KernelFiles(10);
  const cgroups = new ContainerCgroups(kernelFiles, roots);
  const totals = new HostTotals({ clock: new FakeClock(1_800_000_000_000), files: kernelFiles, roots, cgroups });
  const values: Record<string, number> = {};
  const size = { bsize: 4096, blocks: 100, bfree: 40, files: 1_000, ffree: 900 };
  const partitions = [
    { device: '/dev/vda1', size },
    { device: '/dev/vda1', size },
    { device: 'tmpfs', size },
  ];
  totals.read(partitions, (metric, value, labels) => {
    if (value !== undefined) values[labels ? `${metric}{${labels}}` : metric] = value;
  });
  return values;
}

describe('HostTotals', () => {
  it('reads the root groups of cgroup v1', () => {
    const values = totalsOn({
      'sys/fs/cgroup/cpuacct/cgroup.procs': '',
      'sys/fs/cgroup/cpuacct/cpuacct.usage_percpu': '1000000000 2000000000 \n',
      'sys/fs/cgroup/cpu/cgroup.procs': '',
      'sys/fs/cgroup/memory/cgroup.procs': '',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '8192\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/memory/memory.stat': 'cache 4096\ntotal_cache 4096\ntotal_inactive_file 4096\n',
    });

    expect(values).toMatchObject({
      'container_cpu_usage_seconds_total{cpu="cpu01"}': 2,
      container_memory_usage_bytes: 8192,
      container_memory_working_set_bytes: 4096,
      container_spec_memory_limit_bytes: 1_048_576,
      container_start_time_seconds: 1_700_000_000,
      container_last_seen: 1_800_000_000,
      'container_network_receive_bytes_total{interface="eth0"}': 5_698,
    });
  });

  it('reads the root group of cgroup v2, which has no memory.current', () => {
    const values = totalsOn({
      'sys/fs/cgroup/cpu.stat': 'usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\n',
      'sys/fs/cgroup/memory.stat': 'anon 4096\nfile 8192\ninactive_file 1024\n',
    });

    expect(values).toMatchObject({
      'container_cpu_usage_seconds_total{cpu="total"}': 3,
      container_memory_usage_bytes: 12_288,
      container_memory_working_set_bytes: 11_264,
      container_spec_memory_limit_bytes: 1_048_576,
    });
  });

  it('tells the size of each partition once', () => {
    expect(totalsOn({})).toMatchObject({
      'container_fs_usage_bytes{device="/dev/vda1"}': 60 * 4096,
      'container_fs_limit_bytes{device="/dev/vda1"}': 100 * 4096,
      'container_fs_inodes_total{device="/dev/vda1"}': 1_000,
      'container_fs_inodes_free{device="/dev/vda1"}': 900,
    });
  });

  it('tells whole disks only, in seconds and bytes, NVMe ones too', () => {
    const roots = rootsAt(new URL('../../../fixtures/cgroup/v1', import.meta.url).pathname);
    const diskstats = new KernelFiles(0).read(`${roots.procRoot}/diskstats`) ?? '';

    const values = totalsOn({ 'proc/diskstats': diskstats });

    expect(values).toMatchObject({
      'container_fs_reads_total{device="/dev/nvme0n1"}': 100,
      'container_fs_reads_merged_total{device="/dev/nvme0n1"}': 2,
      'container_fs_reads_bytes_total{device="/dev/nvme0n1"}': 8_000 * 512,
      'container_fs_sector_writes_total{device="/dev/nvme0n1"}': 160,
      'container_fs_read_seconds_total{device="/dev/nvme0n1"}': 0.5,
      'container_fs_io_current{device="/dev/nvme0n1"}': 1,
      'container_fs_io_time_seconds_total{device="/dev/vda"}': 489.056,
    });
    const devices = Object.keys(values).flatMap((key) => /fs_reads_total\{device="(.*)"/.exec(key)?.[1] ?? []);
    expect(devices).toEqual(['/dev/vda', '/dev/nvme0n1']);
  });
});
