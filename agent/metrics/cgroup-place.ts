/** Where a container's cgroups lie, from `/proc/<pid>/cgroup` (cgroups(7)). Pure. */
import { join } from 'node:path';

/** Controllers of v1 we read. */
const v1Controllers = ['cpuacct', 'cpu', 'memory', 'blkio', 'pids'] as const;
export type V1Controller = (typeof v1Controllers)[number];

export interface CgroupPlace {
  /** The path cAdvisor puts into the label `id`: `/docker/<id>`, `/system.slice/docker-<id>.scope`. */
  readonly path: string;
  /** The container's directory of each v1 controller; empty on a host with v2 only. */
  readonly v1: Readonly<Partial<Record<V1Controller, string>>>;
  /** The container's directory in the unified hierarchy (v2), which has whatever controllers v1 has not. */
  readonly unified: string | undefined;
}

/** Where v2 is mounted below the cgroup root of a host that has v1 too ("hybrid"). */
const HYBRID_UNIFIED = 'unified';

/** Undefined when the process is in no cgroup of that container: the pid is by now another program's. */
export function cgroupPlace(procCgroup: string, containerId: string, cgroupRoot: string): CgroupPlace | undefined {
  const hierarchies = hierarchiesOf(procCgroup);
  const isHybrid = hierarchies.some(({ controllers }) => v1Controllers.some((one) => controllers.includes(one)));
  const v1: Partial<Record<V1Controller, string>> = {};
  let unified: string | undefined;
  let shownPath: string | undefined;
  for (const { controllers, path } of hierarchies) {
    const own = pathOfContainer(path, containerId);
    if (own === undefined) continue;
    if (controllers.length === 0) {
      unified = join(cgroupRoot, isHybrid ? HYBRID_UNIFIED : '', own);
      shownPath ??= own;
    }
    for (const controller of v1Controllers) {
      if (!controllers.includes(controller)) continue;
      v1[controller] = join(cgroupRoot, controller, own);
      if (controller === 'memory') shownPath = own;
    }
  }
  return shownPath === undefined ? undefined : { path: shownPath, v1, unified };
}

function hierarchiesOf(procCgroup: string): { readonly controllers: readonly string[]; readonly path: string }[] {
  return procCgroup.split('\n').flatMap((line) => {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return path === undefined ? [] : [{ controllers: controllers.split(',').filter(Boolean), path }];
  });
}

/** Cuts off what a container made below itself (systemd inside puts its first process into `init.scope`). */
function pathOfContainer(path: string, containerId: string): string | undefined {
  const segments = path.split('/');
  const own = segments.findIndex((segment) => segment.includes(containerId));
  return own === -1 ? undefined : segments.slice(0, own + 1).join('/');
}

/** The host's own cgroups: the root of each hierarchy. `isThere` tells whether a file exists. */
export function rootPlace(cgroupRoot: string, isThere: (path: string) => boolean): CgroupPlace {
  const v1: Partial<Record<V1Controller, string>> = {};
  for (const controller of v1Controllers) {
    if (isThere(join(cgroupRoot, controller, 'cgroup.procs'))) v1[controller] = join(cgroupRoot, controller);
  }
  const isHybrid = Object.keys(v1).length > 0;
  return { path: '/', v1, unified: isHybrid ? join(cgroupRoot, HYBRID_UNIFIED) : cgroupRoot };
}
