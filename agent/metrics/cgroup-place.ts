/** Where a container's cgroups lie, from `/proc/<pid>/cgroup` (cgroups(7)). Pure. */
import { join } from 'node:path';
import { cgroupV1Files } from './cgroup-v1.ts';
import { cgroupV2Files } from './cgroup-v2.ts';

export interface CgroupPlace {
  readonly version: 1 | 2;
  /** The path cAdvisor puts into the label `id`: `/docker/<id>`, `/system.slice/docker-<id>.scope`. */
  readonly path: string;
  /** Name of each file we read -> where it is. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * Undefined when the process is in no cgroup of that container: the pid is by now another program's.
 * On a hybrid host (v2 mounted without controllers) the controllers are v1's.
 */
export function cgroupPlace(procCgroup: string, containerId: string, cgroupRoot: string): CgroupPlace | undefined {
  const paths = new Map<string, string>();
  for (const line of procCgroup.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const own = path === undefined ? undefined : pathOfContainer(path, containerId);
    if (own !== undefined) for (const controller of (controllers ?? '').split(',')) paths.set(controller, own);
  }
  const memory = paths.get('memory');
  if (memory !== undefined) return { version: 1, path: memory, files: v1Files(paths, cgroupRoot) };
  const unified = paths.get('');
  if (unified === undefined) return undefined;
  const files = new Map(cgroupV2Files.map((file) => [file, join(cgroupRoot, unified, file)]));
  return { version: 2, path: unified, files };
}

/** Cuts off what a container made below itself (systemd inside puts its first process into `init.scope`). */
function pathOfContainer(path: string, containerId: string): string | undefined {
  const segments = path.split('/');
  const own = segments.findIndex((segment) => segment.includes(containerId));
  return own === -1 ? undefined : segments.slice(0, own + 1).join('/');
}

function v1Files(paths: ReadonlyMap<string, string>, cgroupRoot: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const [controller, names] of Object.entries(cgroupV1Files)) {
    const path = paths.get(controller);
    if (path !== undefined) for (const name of names) files.set(name, join(cgroupRoot, controller, path, name));
  }
  return files;
}
