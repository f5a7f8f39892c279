/**
 * What is counted over a container's processes: states, descriptors, sockets, limits. States and descriptors cost two
 * calls a process; sockets one per descriptor, so that those of some containers are counted in each scrape, in turn.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { openFilesIn } from '../../runtime/open-files.ts';
import type { KernelFile, KernelFiles } from './kernel-files.ts';
import { openFilesLimit } from './kernel-text.ts';
import type { Put } from './metric-catalogue.ts';

/** Above, a container's states are shown as 0 and its descriptors are not counted. */
const PROCESSES_LIMIT = 100;
/** Above, a container's sockets are not counted. */
const DESCRIPTORS_LIMIT = 500;
/** Links followed and files read for sockets and limits in one scrape, give or take one container. */
const OPERATIONS_PER_PASS = 100;

/** State letter of proc_pid_stat(5) -> cAdvisor's word. Waiting for a disk is part of `uninterruptible` here. */
const stateWords: Readonly<Record<string, keyof StateCounts>> = {
  R: 'running',
  S: 'sleeping',
  I: 'sleeping',
  D: 'uninterruptible',
  T: 'stopped',
  t: 'stopped',
};

export interface StateCounts {
  sleeping: number;
  running: number;
  stopped: number;
  uninterruptible: number;
  iowaiting: number;
}

interface SlowCounts {
  readonly sockets: number | undefined;
  readonly openFilesLimit: number | undefined;
}

export class ProcessCounts {
  private readonly files: KernelFiles;
  private readonly procRoot: string;
  private readonly slow = new Map<string, SlowCounts>();
  /** By container and process; an open one keeps nothing of a process but its number. */
  private readonly statFiles = new Map<string, Map<number, KernelFile>>();
  /** Containers whose slow counts are from the round that is going on. */
  private readonly done = new Set<string>();
  private isRoundOver = true;
  private operationsLeft = 0;

  constructor(files: KernelFiles, procRoot: string) {
    this.files = files;
    this.procRoot = procRoot;
  }

  /** To be called before the containers of a scrape. */
  beginPass(containerIds: ReadonlySet<string>): void {
    if (this.isRoundOver) this.done.clear();
    this.isRoundOver = true;
    this.operationsLeft = OPERATIONS_PER_PASS;
    for (const id of this.slow.keys()) if (!containerIds.has(id)) this.slow.delete(id);
    for (const id of this.statFiles.keys()) if (!containerIds.has(id)) this.closeStatFiles(id, []);
  }

  /** Puts all counts of a container, and answers its processes' states. `pids`: the first is the main one. */
  read(containerId: string, pids: readonly number[], put: Put): StateCounts {
    const isFew = pids.length <= PROCESSES_LIMIT;
    const states = this.countStates(containerId, isFew ? pids : []);
    for (const [state, count] of Object.entries(states)) put('container_tasks_state', count, `state="${state}"`);
    if (isFew) put('container_file_descriptors', this.countDescriptors(pids));
    const { sockets, openFilesLimit } = this.slowCounts(containerId, isFew ? pids : pids.slice(0, 1));
    if (isFew) put('container_sockets', sockets);
    put('container_ulimits_soft', openFilesLimit, 'ulimit="max_open_files"');
    return states;
  }

  private countStates(containerId: string, pids: readonly number[]): StateCounts {
    const counts = { sleeping: 0, running: 0, stopped: 0, uninterruptible: 0, iowaiting: 0 };
    this.closeStatFiles(containerId, pids);
    for (const pid of pids) {
      const stat = this.readStat(containerId, pid);
      // The name before it may itself hold blanks and brackets.
      const word = stateWords[stat?.charAt(stat.lastIndexOf(')') + 2) ?? ''];
      if (word) counts[word] += 1;
    }
    return counts;
  }

  private readStat(containerId: string, pid: number): string | undefined {
    const files = this.statFiles.get(containerId) ?? new Map<number, KernelFile>();
    this.statFiles.set(containerId, files);
    const file = files.get(pid) ?? this.files.keep(`${this.procRoot}/${pid}/stat`);
    const stat = file.read();
    // Another process may get the number of one that has ended.
    if (stat === undefined) files.delete(pid);
    else files.set(pid, file);
    return stat;
  }

  /** Those of processes that are not among `pids`. */
  private closeStatFiles(containerId: string, pids: readonly number[]): void {
    const files = this.statFiles.get(containerId);
    if (!files || (files.size === pids.length && pids.every((pid) => files.has(pid)))) return;
    for (const [pid, file] of files) {
      if (pids.includes(pid)) continue;
      file.close();
      files.delete(pid);
    }
    if (files.size === 0) this.statFiles.delete(containerId);
  }

  private countDescriptors(pids: readonly number[]): number {
    return pids.reduce((sum, pid) => sum + tryOr(() => openFilesIn(`${this.procRoot}/${pid}/fd`), 0), 0);
  }

  private slowCounts(containerId: string, pids: readonly number[]): SlowCounts {
    const known = this.slow.get(containerId);
    if (known && this.done.has(containerId)) return known;
    if (this.operationsLeft <= 0) {
      this.isRoundOver = false;
      return known ?? { sockets: undefined, openFilesLimit: undefined };
    }
    const counted = { sockets: this.countSockets(pids), openFilesLimit: this.openFilesLimit(pids[0]) };
    this.slow.set(containerId, counted);
    this.done.add(containerId);
    return counted;
  }

  private countSockets(pids: readonly number[]): number | undefined {
    let sockets = 0;
    let seen = 0;
    for (const pid of pids) {
      const directory = `${this.procRoot}/${pid}/fd`;
      const names = tryOr(() => readdirSync(directory), []);
      seen += names.length;
      this.operationsLeft -= 1 + names.length;
      if (seen > DESCRIPTORS_LIMIT) return undefined;
      const links = names.map((name) => tryOr(() => readlinkSync(`${directory}/${name}`), ''));
      sockets += links.filter((link) => link.startsWith('socket:')).length;
    }
    return sockets;
  }

  private openFilesLimit(pid: number | undefined): number | undefined {
    if (pid === undefined) return undefined;
    this.operationsLeft -= 1;
    return openFilesLimit(this.files.read(`${this.procRoot}/${pid}/limits`));
  }
}

/** A process may end at any moment. */
function tryOr<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
