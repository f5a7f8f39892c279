/** The host's part of an agent's page: node_exporter's series, read from the kernel's files at each scrape. */
import { statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { machine } from 'node:os';
import type { Clock } from '../../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../../runtime/errors.ts';
import type { Log } from '../../../runtime/log.ts';
import type { CollectorRun } from '../collector-runs.ts';
import type { KernelFiles } from '../kernel-files.ts';
import type { PageWriter } from '../page-writer.ts';
import { type HostRoots, hostNetworkDirectory } from '../roots.ts';
import type { Turns } from '../turns.ts';
import { diskFamilies } from './disks.ts';
import type { Family } from './family.ts';
import { writeFamilies } from './family.ts';
import { FileSystems, type MeasuredFileSystem } from './file-systems.ts';
import { buildFamilies, type HostNames, timeFamilies, unameFamilies } from './identity.ts';
import { memoryFamilies, vmstatFamilies } from './memory.ts';
import { networkDeviceFamilies } from './network-devices.ts';
import { pageSizeBytes } from './page-size.ts';
import { pressureFamilies, pressureResources } from './pressure.ts';
import { Processors } from './processors.ts';
import { ProtocolStatistics, socketFamilies } from './protocols.ts';
import { schedulerFamilies, softnetFamilies } from './scheduler.ts';
import { conntrackFamilies, entropyFamilies, loadFamilies, openFileFamilies } from './small-files.ts';

export interface HostSeriesOptions {
  readonly files: KernelFiles;
  readonly roots: Pick<HostRoots, 'procRoot' | 'rootfs'>;
  /** The agent's version. */
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** How the host was read. */
export interface HostRun {
  readonly runs: readonly CollectorRun[];
  /** Those whose size is known. */
  readonly fileSystems: readonly MeasuredFileSystem[];
}

export interface HostSeries {
  /** Writes whole families, without timestamps. What cannot be read is left out, told in `runs` and logged once. */
  write(writer: PageWriter, turns: Turns): Promise<HostRun>;
}

type Collect = () => readonly Family[] | Promise<readonly Family[]>;

export function createHostSeries(options: HostSeriesOptions): HostSeries {
  const { clock, roots } = options;
  const fileSystems = new FileSystems({ clock, rootfs: roots.rootfs, statfsNow: statfsSync, statfsLater: statfs });
  const collectors = Object.entries(collectorsOf(options, fileSystems));
  const failing = new Map<string, string>();
  const write = async (writer: PageWriter, turns: Turns) => {
    const runs: CollectorRun[] = [];
    for (const [collector, collect] of collectors) {
      const begunMs = options.clock.elapsedMs();
      const error = await collectInto(writer, collect, turns);
      tellOfChange(options.log, failing, collector, error);
      const durationSeconds = (options.clock.elapsedMs() - begunMs) / 1000;
      runs.push({ collector, success: error === undefined, durationSeconds });
    }
    return { runs, fileSystems: fileSystems.sizes() };
  };
  return { write };
}

/** Answers what went wrong, if anything did. */
async function collectInto(writer: PageWriter, collect: Collect, turns: Turns): Promise<string | undefined> {
  try {
    const families = collect();
    await writeFamilies(writer, 'then' in families ? await families : families, turns);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function tellOfChange(log: Log, failing: Map<string, string>, collector: string, error: string | undefined): void {
  if (failing.get(collector) === error) return;
  if (error === undefined) failing.delete(collector);
  else {
    failing.set(collector, error);
    log.warn({ collector, error }, 'cannot measure a part of the host');
  }
}

/** By the names node_exporter gives its own. */
function collectorsOf(
  { files, roots, clock, version }: HostSeriesOptions,
  fileSystems: FileSystems,
): Readonly<Record<string, Collect>> {
  const optional = (path: string) => files.read(`${roots.procRoot}/${path}`);
  const required = (path: string) => optional(path) ?? unreadable(`${roots.procRoot}/${path}`);
  const network = hostNetworkDirectory(roots);
  const processors = new Processors();
  const protocols = new ProtocolStatistics();
  const pageBytes = pageSizeBytes();
  return {
    uname: () => unameFamilies(hostNames(required)),
    build: () => buildFamilies(version),
    time: () => timeFamilies(clock.wallMs()),
    stat: () => processors.families(required('stat')),
    loadavg: () => loadFamilies(required('loadavg')),
    meminfo: () => memoryFamilies(required('meminfo')),
    vmstat: () => vmstatFamilies(required('vmstat')),
    pressure: () =>
      pressureResources.flatMap((resource) => pressureFamilies(resource, optional(`pressure/${resource}`))),
    schedstat: () => schedulerFamilies(optional('schedstat')),
    filefd: () => openFileFamilies(required('sys/fs/file-nr')),
    entropy: () => entropyFamilies(optional('sys/kernel/random/entropy_avail'), optional('sys/kernel/random/poolsize')),
    diskstats: () => diskFamilies(required('diskstats')),
    filesystem: () => fileSystems.families(optional('1/mountinfo') ?? required('self/mountinfo')),
    netdev: () => networkDeviceFamilies(required(`${network}/dev`)),
    netstat: () => [
      ...protocols.families(required(`${network}/netstat`)),
      ...protocols.families(required(`${network}/snmp`)),
      ...protocols.families6(optional(`${network}/snmp6`)),
    ],
    sockstat: () => [
      ...socketFamilies(required(`${network}/sockstat`), pageBytes),
      ...socketFamilies(optional(`${network}/sockstat6`), pageBytes),
    ],
    softnet: () => softnetFamilies(optional(`${network}/softnet_stat`)),
    conntrack: () =>
      conntrackFamilies(
        optional('sys/net/netfilter/nf_conntrack_count'),
        optional('sys/net/netfilter/nf_conntrack_max'),
      ),
  };
}

function unreadable(path: string): never {
  throw new PlimsollError(
    'unavailable',
    `Cannot read ${path}, which every Linux has: set --proc-root to the host's /proc`,
  );
}

/** From files rather than uname(2), which tells an agent in a container of that container. */
function hostNames(read: (path: string) => string): HostNames {
  const word = (file: string) => read(`sys/kernel/${file}`).trim();
  return {
    sysname: word('ostype'),
    release: word('osrelease'),
    version: word('version'),
    machine: machine(),
    nodename: word('hostname'),
    domainname: word('domainname'),
  };
}
