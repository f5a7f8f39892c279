/** What the machine is, under cAdvisor's names; and the series dashboards join a node's name by. */
import type { Clock } from '../../runtime/clock.ts';
import { labelText } from '../../runtime/label-text.ts';
import { type Family, single } from './host/family.ts';
import type { KernelFiles } from './kernel-files.ts';
import { meminfoBytes } from './kernel-text.ts';
import type { HostRoots } from './roots.ts';

export interface MachineParts {
  readonly clock: Clock;
  readonly files: KernelFiles;
  readonly roots: HostRoots;
  readonly nodeId: string;
  readonly nodeName: string;
  /** The agent's version. */
  readonly version: string;
}

/** Processors and memory may be plugged in; /proc/cpuinfo costs a millisecond on a large machine. */
const REREAD_MS = 600_000;

/** Answers the families; `dockerVersion` may not be known yet. */
export function createMachineMetrics(parts: MachineParts): (dockerVersion: string | undefined) => Family[] {
  let readAtMs = Number.NEGATIVE_INFINITY;
  let machine: Family[] = [];
  return (dockerVersion) => {
    if (parts.clock.elapsedMs() - readAtMs >= REREAD_MS) {
      machine = machineFamilies(parts);
      readAtMs = parts.clock.elapsedMs();
    }
    return [...machine, ...versionFamilies(parts, dockerVersion), ...nodeFamilies(parts)];
  };
}

function machineFamilies({ files, roots }: MachineParts): Family[] {
  const read = (root: string, path: string) => files.read(`${root}/${path}`)?.trim() ?? '';
  const labels = labelText({
    boot_id: read(roots.procRoot, 'sys/kernel/random/boot_id'),
    machine_id: read(roots.rootfs, 'etc/machine-id'),
    system_uuid: read(roots.sysRoot, 'class/dmi/id/product_uuid'),
  });
  const processors = processorsIn(read(roots.procRoot, 'cpuinfo'));
  const meminfo = read(roots.procRoot, 'meminfo');
  const gauge = (name: string, help: string, value: number | undefined): Family[] =>
    value === undefined ? [] : [{ name, type: 'gauge', help, samples: [[labels, value]] }];
  const modules = memoryModules(files, `${roots.sysRoot}/devices/system/edac/mc`);
  const byType = (name: string, help: string, value: (module: MemoryModules) => number): Family => {
    const samples = modules.map((each) => [`${labels},${labelText({ type: each.type })}`, value(each)] as const);
    return { name, type: 'gauge', help, samples };
  };
  return [
    ...gauge('machine_cpu_cores', 'Logical processors.', processors.logical),
    ...gauge('machine_cpu_physical_cores', 'Processor cores.', processors.cores),
    ...gauge('machine_cpu_sockets', 'Processor sockets.', processors.sockets),
    ...gauge('machine_memory_bytes', 'Memory of the machine.', meminfoBytes(meminfo, 'MemTotal')),
    ...gauge('machine_swap_bytes', 'Swap space of the machine.', meminfoBytes(meminfo, 'SwapTotal')),
    byType('machine_dimm_count', 'Memory modules, by type.', ({ count }) => count),
    byType('machine_dimm_capacity_bytes', 'Capacity of the memory modules, by type.', ({ bytes }) => bytes),
    ...single('machine_scrape_error', 'gauge', '1 if the machine could not be read.', processors.logical === 0 ? 1 : 0),
  ];
}

interface MemoryModules {
  /** In the kernel's words: `Unbuffered-DDR4`. */
  readonly type: string;
  readonly count: number;
  readonly bytes: number;
}

/** What memory controllers with error correction tell; none on machines without, virtual ones among them. */
function memoryModules(files: KernelFiles, directory: string): MemoryModules[] {
  const byType = new Map<string, MemoryModules>();
  for (const controller of files.listDirectories(directory)) {
    for (const name of files.listDirectories(`${directory}/${controller}`)) {
      const module = `${directory}/${controller}/${name}`;
      const type = files.read(`${module}/dimm_mem_type`)?.trim();
      const megabytes = Number(files.read(`${module}/size`));
      if (!type || !megabytes) continue;
      const { count, bytes } = byType.get(type) ?? { count: 0, bytes: 0 };
      byType.set(type, { type, count: count + 1, bytes: bytes + megabytes * 2 ** 20 });
    }
  }
  return [...byType.values()];
}

/** Where the kernel tells no cores or sockets (virtual machines on ARM), each processor is a core of one socket. */
function processorsIn(cpuinfo: string): { logical: number; cores: number; sockets: number } {
  const logical = cpuinfo.match(/^processor\s*:/gm)?.length ?? 0;
  const sockets = new Set(valuesOf(cpuinfo, 'physical id'));
  const coreIds = valuesOf(cpuinfo, 'core id');
  const socketIds = valuesOf(cpuinfo, 'physical id');
  const cores = new Set(coreIds.map((core, index) => `${socketIds[index]}.${core}`));
  return { logical, cores: cores.size || logical, sockets: sockets.size || Math.min(1, logical) };
}

function valuesOf(cpuinfo: string, key: string): string[] {
  return [...cpuinfo.matchAll(new RegExp(`^${key}\\s*: (.*)$`, 'gm'))].map(([, value]) => value ?? '');
}

/** Dashboards read the kernel's and the engine's versions here. `cadvisorVersion` tells what stands in for cAdvisor. */
function versionFamilies({ files, roots, version }: MachineParts, dockerVersion: string | undefined): Family[] {
  const osRelease = files.read(`${roots.rootfs}/etc/os-release`) ?? '';
  const labels = labelText({
    cadvisorRevision: '',
    cadvisorVersion: `plimsoll-${version}`,
    dockerVersion: dockerVersion ?? '',
    kernelVersion: (files.read(`${roots.procRoot}/sys/kernel/osrelease`) ?? '').trim(),
    osVersion: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease)?.[1] ?? '',
  });
  const help = 'Always 1; versions of the kernel, the operating system, the engine and of what measures.';
  return [{ name: 'cadvisor_version_info', type: 'gauge', help, samples: [[labels, 1]] }];
}

/** Swarm's monitoring stacks write this series with a shell script on every node. */
function nodeFamilies({ nodeId, nodeName }: MachineParts): Family[] {
  const labels = labelText({
    node_id: nodeId,
    node_name: nodeName,
    container_label_com_docker_swarm_node_id: nodeId,
  });
  return [
    {
      name: 'node_meta',
      type: 'gauge',
      help: 'Always 1; joins the id of a node with its name.',
      samples: [[labels, 1]],
    },
  ];
}
