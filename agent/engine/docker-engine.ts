/** Docker Engine (20.10 and newer) as an Engine. */
import { z } from 'zod';
import { genericFromList } from '../../model/generic-resources.ts';
import { splitReference } from '../../model/image-name.ts';
import { containerLabels } from '../../model/labels.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { ContainerRequest } from '../container-spec.ts';
import type { ObservedContainer } from '../plan/observed-container.ts';
import { streamEvents } from './docker-events.ts';
import { loadImage } from './docker-load.ts';
import { streamLogs } from './docker-logs.ts';
import { pullImage } from './docker-pull.ts';
import {
  CreateReply,
  InfoReply,
  InspectRawReply,
  InspectReply,
  inspectionOfRow,
  ListedReply,
  type ListedRow,
  ListReply,
  observedContainer,
  VersionReply,
} from './docker-replies.ts';
import { streamStats } from './docker-stats.ts';
import type { Engine, EngineDescription, EngineEvent, LogsOptions, StatsOptions } from './engine.ts';
import { EngineCalls } from './engine-calls.ts';

const QUICK_MS = 10_000;
const PING_MS = 2_000;
const WORK_MS = 30_000;
const LOOKS_AT_ONCE = 8;

export class DockerEngine implements Engine {
  private readonly calls: EngineCalls;
  private readonly clock: Clock;
  private readonly log: Log;

  /** `address` is unix:///path or tcp://host:port. */
  constructor(address: string, clock: Clock, log: Log) {
    this.calls = new EngineCalls(address, clock);
    this.clock = clock;
    this.log = log;
  }

  async ping(): Promise<void> {
    await this.calls.call({ method: 'GET', path: '/_ping', deadlineMs: PING_MS }, z.unknown());
  }

  async describe(): Promise<EngineDescription> {
    const [version, info] = await Promise.all([
      this.calls.call({ method: 'GET', path: '/version', deadlineMs: QUICK_MS }, VersionReply),
      this.calls.call({ method: 'GET', path: '/info', deadlineMs: QUICK_MS }, InfoReply),
    ]);
    return {
      version: version.Version,
      apiVersion: version.ApiVersion,
      os: info.OSType,
      architecture: info.Architecture,
      hostname: info.Name,
      labels: Object.fromEntries(info.Labels.map(splitLabel)),
      plugins: pluginsOf(info.Plugins),
      liveRestore: info.LiveRestoreEnabled,
      loggingDriver: info.LoggingDriver,
      rootDir: info.DockerRootDir,
      cpus: info.NCPU,
      memoryBytes: info.MemTotal,
      generic: genericFromList(info.GenericResources),
    };
  }

  async listOwn(clusterId: string): Promise<ObservedContainer[]> {
    const filters = JSON.stringify({ label: [`${containerLabels.cluster}=${clusterId}`] });
    const query = { all: '1', filters };
    const listed = await this.calls.call(
      { method: 'GET', path: '/containers/json', query, deadlineMs: QUICK_MS },
      ListedReply,
    );
    const found: ObservedContainer[] = [];
    for (let from = 0; from < listed.length; from += LOOKS_AT_ONCE) {
      const batch = listed.slice(from, from + LOOKS_AT_ONCE);
      const looks = await Promise.all(batch.map((row) => this.lookOrRow(clusterId, row)));
      found.push(...looks.filter((container) => container !== undefined));
    }
    return found;
  }

  /** One container the engine cannot inspect must not hide all others. */
  private async lookOrRow(clusterId: string, row: ListedRow): Promise<ObservedContainer | undefined> {
    try {
      return await this.look(clusterId, row.Id);
    } catch (error) {
      if (!(error instanceof PlimsollError && error.code === 'internal')) throw error;
      const fields = { containerId: row.Id, error: messageOf(error) };
      this.log.warn(fields, 'the engine cannot inspect a container: taking what its list says');
      return observedContainer(inspectionOfRow(row));
    }
  }

  async look(clusterId: string, idOrName: string): Promise<ObservedContainer | undefined> {
    const path = `/containers/${encodeURIComponent(idOrName)}/json`;
    const reply = await orNothing(this.calls.call({ method: 'GET', path, deadlineMs: QUICK_MS }, InspectReply));
    if (reply?.Config.Labels[containerLabels.cluster] !== clusterId) return undefined;
    return observedContainer(reply);
  }

  listRaw(all: boolean): Promise<Record<string, unknown>[]> {
    const query = { all: all ? '1' : '0' };
    return this.calls.call({ method: 'GET', path: '/containers/json', query, deadlineMs: QUICK_MS }, ListReply);
  }

  inspectRaw(idOrName: string): Promise<Record<string, unknown>> {
    const path = `/containers/${encodeURIComponent(idOrName)}/json`;
    return this.calls.call({ method: 'GET', path, deadlineMs: QUICK_MS }, InspectRawReply);
  }

  async create({ name, body }: ContainerRequest): Promise<string> {
    const call = { method: 'POST', path: '/containers/create', query: { name }, body, deadlineMs: WORK_MS } as const;
    return (await this.calls.call(call, CreateReply)).Id;
  }

  async start(containerId: string): Promise<void> {
    const path = `/containers/${containerId}/start`;
    await this.calls.call({ method: 'POST', path, deadlineMs: WORK_MS, fineToo: [304] }, z.unknown());
  }

  async stop(containerId: string, graceMs: number): Promise<void> {
    const query = { t: String(Math.ceil(graceMs / 1000)) };
    const path = `/containers/${containerId}/stop`;
    const deadlineMs = graceMs + WORK_MS;
    await this.calls.call({ method: 'POST', path, query, deadlineMs, fineToo: [304, 404] }, z.unknown());
  }

  async remove(containerId: string): Promise<void> {
    const path = `/containers/${containerId}`;
    await this.calls.call(
      { method: 'DELETE', path, query: { v: '1' }, deadlineMs: WORK_MS, fineToo: [404] },
      z.unknown(),
    );
  }

  async hasImage(reference: string): Promise<boolean> {
    const path = `/images/${reference}/json`;
    return (
      (await orNothing(this.calls.call({ method: 'GET', path, deadlineMs: QUICK_MS }, InspectRawReply))) !== undefined
    );
  }

  pull(reference: string, signal: AbortSignal, registryAuth?: string): Promise<void> {
    return pullImage(this.calls, this.clock, { reference, registryAuth }, signal);
  }

  loadImage(archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    return loadImage(this.calls, archive, signal);
  }

  async tagImage(imageId: string, reference: string): Promise<void> {
    const { repository, tag } = splitReference(reference);
    const path = `/images/${imageId}/tag`;
    const query = { repo: repository, tag };
    await this.calls.call({ method: 'POST', path, query, deadlineMs: QUICK_MS }, z.unknown());
  }

  async removeImage(reference: string): Promise<void> {
    await this.calls.call(
      { method: 'DELETE', path: `/images/${reference}`, deadlineMs: WORK_MS, fineToo: [404, 409] },
      z.unknown(),
    );
  }

  events(
    clusterId: string,
    onEvent: (event: EngineEvent) => void,
    onEnd: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    return streamEvents(this.calls, clusterId, { onEvent, onEnd }, signal);
  }

  /** Events of all containers of this engine. Resolves once they flow; `onEnd` is called when they stop. */
  allEvents(onEvent: (event: EngineEvent) => void, onEnd: () => void, signal: AbortSignal): Promise<void> {
    return streamEvents(this.calls, undefined, { onEvent, onEnd }, signal);
  }

  logs(containerId: string, options: LogsOptions, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return streamLogs(this.calls, containerId, options, signal);
  }

  stats(idOrName: string, options: StatsOptions, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return streamStats(this.calls, idOrName, options, signal);
  }
}

async function orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof PlimsollError && error.code === 'not-found') return undefined;
    throw error;
  }
}

function splitLabel(label: string): [string, string] {
  const equals = label.indexOf('=');
  return equals < 0 ? [label, ''] : [label.slice(0, equals), label.slice(equals + 1)];
}

function pluginsOf(plugins: z.infer<typeof InfoReply>['Plugins']): { type: string; name: string }[] {
  return Object.entries(plugins).flatMap(([type, names]) => (names ?? []).map((name) => ({ type, name })));
}
