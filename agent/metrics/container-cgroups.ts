/** The cgroup files of this host's containers, found once per run of a container and kept at hand. */
import { basename, dirname, join } from 'node:path';
import { type CgroupPlace, cgroupPlace, rootPlace, type V1Controller } from './cgroup-place.ts';
import { isSettingFile } from './cgroup-settings.ts';
import type { KernelFile, KernelFiles, TextSource } from './kernel-files.ts';
import type { HostRoots } from './roots.ts';

type V1File = `${V1Controller}/${string}`;

/** Texts of one container's files; undefined where this kernel or this host has none. */
export interface CgroupFiles {
  /** What the label `id` shows. */
  readonly path: string;
  /** By controller and name: `memory/memory.stat`. */
  readonly v1: (file: V1File) => string | undefined;
  /** By name: `memory.stat`. */
  readonly v2: (file: string) => string | undefined;
  readonly sourceV1: (file: V1File) => TextSource;
  readonly sourceV2: (file: string) => TextSource;
  /** Which version has the controller of that name on this host. */
  versionOf(controller: 'cpu' | 'memory' | 'blkio' | 'pids'): 1 | 2;
}

/** A running container, as far as its cgroups are concerned. */
export interface RunningContainer {
  readonly id: string;
  /** Its first process; undefined when it does not run. */
  readonly pid: number | undefined;
}

interface Found {
  readonly pid: number;
  readonly files: CgroupFiles;
  readonly close: () => void;
}

/** A file of a controller this host has not in that version. */
const absent: TextSource = { read: () => undefined };

/** How far below the cgroup root a container's group is looked for when its path is not told. */
const SEARCH_DEPTH = 4;

export class ContainerCgroups {
  private readonly files: KernelFiles;
  private readonly roots: HostRoots;
  private readonly found = new Map<string, Found>();

  constructor(files: KernelFiles, roots: HostRoots) {
    this.files = files;
    this.roots = roots;
  }

  /** Undefined when the container does not run (any more), or its process is another program by now. */
  of({ id, pid }: RunningContainer): CgroupFiles | undefined {
    const known = this.found.get(id);
    if (known && known.pid === pid) return known.files;
    this.forget(id);
    const place = pid === undefined ? undefined : this.placeOf(id, pid);
    if (pid === undefined || !place) return undefined;
    const open = this.open(place);
    this.found.set(id, { pid, ...open });
    return open.files;
  }

  /** As found before; undefined when it was not. */
  known(containerId: string): CgroupFiles | undefined {
    return this.found.get(containerId)?.files;
  }

  /** The groups of the whole host. */
  host(): CgroupFiles {
    const isThere = (path: string) => this.files.read(path) !== undefined;
    return this.open(rootPlace(this.cgroupRoot, isThere)).files;
  }

  /** For a container whose files have ceased to answer: it is looked for again the next time. */
  forget(containerId: string): void {
    this.found.get(containerId)?.close();
    this.found.delete(containerId);
  }

  forgetAllBut(containerIds: ReadonlySet<string>): void {
    for (const id of this.found.keys()) if (!containerIds.has(id)) this.forget(id);
  }

  private get cgroupRoot(): string {
    return join(this.roots.sysRoot, 'fs', 'cgroup');
  }

  private placeOf(id: string, pid: number): CgroupPlace | undefined {
    const procCgroup = this.files.read(`${this.roots.procRoot}/${pid}/cgroup`);
    const place = procCgroup === undefined ? undefined : cgroupPlace(procCgroup, id, this.cgroupRoot);
    if (!place?.path.startsWith('/..')) return place;
    // An agent in a cgroup namespace of its own is told paths relative to itself, which lead nowhere from the root.
    const path = this.search('', basename(place.path), SEARCH_DEPTH);
    return path === undefined ? undefined : { ...place, path, unified: join(this.cgroupRoot, path) };
  }

  private search(below: string, name: string, depth: number): string | undefined {
    const names = this.files.listDirectories(join(this.cgroupRoot, below));
    if (names.includes(name)) return `${below}/${name}`;
    if (depth === 1) return undefined;
    for (const child of names) {
      const path = this.search(`${below}/${child}`, name, depth - 1);
      if (path !== undefined) return path;
    }
    return undefined;
  }

  private open({ path, v1, unified }: CgroupPlace): Omit<Found, 'pid'> {
    const known = new Map<string, KernelFile>();
    const keep = (name: string, directory: string | undefined): TextSource => {
      if (directory === undefined) return absent;
      const file = { ...this.files.keep(join(directory, basename(name))), isSetting: isSettingFile(name) };
      known.set(name, file);
      return file;
    };
    const sourceV1 = (name: V1File) => known.get(name) ?? keep(name, v1[dirname(name) as V1Controller]);
    const sourceV2 = (name: string) => known.get(name) ?? keep(name, unified);
    const files: CgroupFiles = {
      path,
      v1: (name) => sourceV1(name).read(),
      v2: (name) => sourceV2(name).read(),
      sourceV1,
      sourceV2,
      versionOf: (controller) => (v1[controller] === undefined ? 2 : 1),
    };
    const close = () => {
      for (const file of known.values()) file.close();
    };
    return { files, close };
  }
}
