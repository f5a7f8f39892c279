import { describe, expect, it } from 'vitest';
import { writeFamilies } from '../../../../agent/metrics/host/family.ts';
import { KernelFiles } from '../../../../agent/metrics/kernel-files.ts';
import { createMachineMetrics } from '../../../../agent/metrics/machine-metrics.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { kernelTree } from '../../../support/kernel-tree.ts';
import { textWritten } from '../../../support/page-text.ts';

function pageOn(files: Record<string, string>): Promise<string> {
  const machine = createMachineMetrics({
    clock: new FakeClock(),
    files: new KernelFiles(0),
    roots: kernelTree(files),
    nodeId: 'n1',
    nodeName: 'h1',
    version: '1.2.3',
  });
  return textWritten((writer, turns) => writeFamilies(writer, machine('28.5.2'), turns));
}

const ids = 'boot_id="b00t",machine_id="3d12",system_uuid="5f00"';
const host = {
  'proc/sys/kernel/random/boot_id': 'b00t\n',
  'proc/sys/kernel/osrelease': '6.12.1\n',
  'proc/meminfo': 'MemTotal:       1024 kB\nSwapTotal:       512 kB\n',
  'sys/class/dmi/id/product_uuid': '5f00\n',
  'etc/machine-id': '3d12\n',
  'etc/os-release': 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 13"\n',
};

/** Two sockets of two cores of two threads. */
const cpuinfo = [0, 1, 2, 3, 4, 5, 6, 7]
  .map((cpu) => `processor\t: ${cpu}\nphysical id\t: ${cpu >> 2}\ncore id\t\t: ${(cpu >> 1) & 1}\n`)
  .join('\n');

describe('createMachineMetrics()', () => {
  it('counts threads, cores and sockets', async () => {
    const page = await pageOn({ ...host, 'proc/cpuinfo': cpuinfo });

    expect(page).toContain(`machine_cpu_cores{${ids}} 8\n`);
    expect(page).toContain(`machine_cpu_physical_cores{${ids}} 4\n`);
    expect(page).toContain(`machine_cpu_sockets{${ids}} 2\n`);
    expect(page).toContain(`machine_memory_bytes{${ids}} 1048576\n`);
    expect(page).toContain(`machine_swap_bytes{${ids}} 524288\n`);
    expect(page).toContain('machine_scrape_error 0\n');
  });

  it('takes processors for cores where the kernel tells no more', async () => {
    const page = await pageOn({ ...host, 'proc/cpuinfo': 'processor\t: 0\n\nprocessor\t: 1\n' });

    expect(page).toContain(`machine_cpu_physical_cores{${ids}} 2\n`);
    expect(page).toContain(`machine_cpu_sockets{${ids}} 1\n`);
  });

  it('adds up the memory modules of each type', async () => {
    const controller = 'sys/devices/system/edac/mc/mc0';
    const page = await pageOn({
      ...host,
      [`${controller}/dimm0/dimm_mem_type`]: 'Unbuffered-DDR4\n',
      [`${controller}/dimm0/size`]: '8192\n',
      [`${controller}/dimm1/dimm_mem_type`]: 'Unbuffered-DDR4\n',
      [`${controller}/dimm1/size`]: '8192\n',
      [`${controller}/power/control`]: 'auto\n',
    });

    expect(page).toContain(`machine_dimm_count{${ids},type="Unbuffered-DDR4"} 2\n`);
    expect(page).toContain(`machine_dimm_capacity_bytes{${ids},type="Unbuffered-DDR4"} 17179869184\n`);
  });

  it('says when it could read nothing', async () => {
    expect(await pageOn({})).toContain('machine_scrape_error 1\n');
  });

  it('tells versions under the labels dashboards know, and joins node ids with names', async () => {
    const page = await pageOn(host);

    expect(page).toContain('cadvisorVersion="plimsoll-1.2.3",dockerVersion="28.5.2",kernelVersion="6.12.1"');
    expect(page).toContain('osVersion="Debian GNU/Linux 13"');
    expect(page).toContain('node_meta{node_id="n1",node_name="h1",container_label_com_docker_swarm_node_id="n1"} 1\n');
  });
});
