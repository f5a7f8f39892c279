/**
 * The running containers of this host, the cluster's and all others, as the engine tells them: listed when one of its
 * events says that something changed, so that a scrape asks the engine nothing.
 */
import { z } from 'zod';
import { backoffMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { Poke, runLoop } from '../../runtime/loop.ts';
import type { Engine, EngineEvent } from '../engine/engine.ts';
import type { MeasuredContainer } from './container-metrics.ts';
import { upperDirectory } from './upper-directory.ts';

/** What the inventory needs of an engine. */
export interface HostEngine extends Pick<Engine, 'listRaw' | 'inspectRaw'> {
  /** Events of all containers of this engine. Resolves once they flow; `onEnd` is called when they stop. */
  allEvents(onEvent: (event: EngineEvent) => void, onEnd: () => void, signal: AbortSignal): Promise<void>;
}

export interface InventoryParts {
  readonly engine: HostEngine;
  readonly clock: Clock;
  readonly log: Log;
  /** The containers whose process is known already: they are listed, not inspected. */
  readonly isKnown: (containerId: string) => boolean;
  /** /proc/<pid>/mountinfo of a container's first process; undefined when it has gone. */
  readonly mountsOf: (pid: number) => string | undefined;
  /** Called for every event. */
  readonly onEvent: (event: EngineEvent) => void;
}

/** A running container; those of `isKnown` come without a process. */
export interface ListedContainer extends MeasuredContainer {
  readonly imageId: string;
  /** Where it keeps its own files, as far as the engine told: for those inspected only. */
  readonly layerDirectories: readonly string[];
}

const Listed = z.object({
  Id: z.string(),
  Names: z.array(z.string()).nullish(),
  Image: z.string(),
  ImageID: z.string(),
  Created: z.number(),
  Labels: z.record(z.string(), z.string()).nullish(),
});

const Inspected = z.object({
  State: z.object({
    Pid: z.number(),
    StartedAt: z.string(),
    Health: z.object({ Status: z.enum(['none', 'starting', 'healthy', 'unhealthy']) }).nullish(),
  }),
  LogPath: z.string().nullish(),
  /** Absent or empty with containerd's image store: the container's mounts tell then where its layer lies. */
  GraphDriver: z.object({ Data: z.object({ UpperDir: z.string().nullish() }).nullish() }).nullish(),
});

type Run = Pick<ListedContainer, 'pid' | 'startedAtMs' | 'health' | 'layerDirectories'>;

/** At most one list a second, however many containers come and go. */
const TIMES = { minGapMs: 1_000, resyncMs: 60_000, retryMs: 2_000 };
const RECONNECT = { firstMs: 100, maxMs: 5_000 };
const CHANGES = ['start', 'die', 'destroy', 'rename'];

export class ContainerInventory {
  private readonly parts: InventoryParts;
  private readonly changed = new Poke();
  private readonly runs = new Map<string, Run>();
  /** Containers that began or ended while a list was made: what was asked of them may be of the run before. */
  private readonly unsettled = new Set<string>();
  private listed: readonly ListedContainer[] = [];
  private isFailing = false;

  constructor(parts: InventoryParts) {
    this.parts = parts;
  }

  /** As of the last list. */
  containers(): readonly ListedContainer[] {
    return this.listed;
  }

  /** Whether the last list is as new as can be: false while the engine does not answer. */
  get isCurrent(): boolean {
    return !this.isFailing;
  }

  /** Follows the engine until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.parts;
    const onError = (error: unknown) => this.noteFailure(error);
    const listing = runLoop({ tick: () => this.list(), poke: this.changed, times: TIMES, clock, onError }, signal);
    await Promise.all([listing, this.followEvents(signal)]);
  }

  private noteFailure(error: unknown): void {
    const words = 'cannot list the containers to measure: measuring those known before';
    if (!this.isFailing) this.parts.log.warn({ error: messageOf(error) }, words);
    this.isFailing = true;
  }

  private async followEvents(signal: AbortSignal): Promise<void> {
    const { clock, log, engine } = this.parts;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const ended = new Promise<void>((resolve, reject) => {
        engine
          .allEvents((event) => this.take(event), resolve, signal)
          .then(() => {
            failures = 0;
            this.changed.poke();
          }, reject);
      });
      await ended.catch((error) => {
        if (failures === 0 && !signal.aborted)
          log.warn({ error: messageOf(error) }, 'cannot follow the containers to measure: trying again');
      });
      await clock.sleep(backoffMs(RECONNECT, failures + 1), signal).catch(() => undefined);
    }
  }

  private take(event: EngineEvent): void {
    this.parts.onEvent(event);
    const { action, containerId } = event;
    if (action === 'die' || action === 'start') {
      this.runs.delete(containerId);
      this.unsettled.add(containerId);
    }
    if (CHANGES.includes(action)) this.changed.poke();
    const [, health] = /^health_status: (healthy|unhealthy)$/.exec(action) ?? [];
    if (health) this.noteHealth(containerId, health as 'healthy' | 'unhealthy');
  }

  private noteHealth(containerId: string, health: MeasuredContainer['health']): void {
    const run = this.runs.get(containerId);
    if (run) this.runs.set(containerId, { ...run, health });
    this.listed = this.listed.map((container) => (container.id === containerId ? { ...container, health } : container));
  }

  private async list(): Promise<void> {
    this.unsettled.clear();
    const rows = z.array(Listed).parse(await this.parts.engine.listRaw(false));
    const ids = new Set(rows.map(({ Id }) => Id));
    for (const id of this.runs.keys()) if (!ids.has(id) || this.parts.isKnown(id)) this.runs.delete(id);
    for (const id of ids) if (!this.runs.has(id) && !this.parts.isKnown(id)) await this.findRun(id);
    this.isFailing = false;
    this.listed = rows.map((row) => ({
      id: row.Id,
      name: (row.Names?.[0] ?? '').replace(/^\//, ''),
      image: row.Image,
      imageId: row.ImageID,
      labels: row.Labels ?? {},
      createdAtMs: row.Created * 1000,
      ...(this.runs.get(row.Id) ?? noRun),
    }));
  }

  /** Of a container that began or ended meanwhile nothing is kept: its event has asked for another list. */
  private async findRun(containerId: string): Promise<void> {
    const run = await this.inspect(containerId);
    if (run !== noRun && !this.unsettled.has(containerId)) this.runs.set(containerId, run);
  }

  /** One that is gone meanwhile, or that the engine cannot inspect, has no run. */
  private async inspect(containerId: string): Promise<Run> {
    const inspected = await this.parts.engine.inspectRaw(containerId).catch(() => undefined);
    if (!inspected) return noRun;
    const { State, LogPath, GraphDriver } = Inspected.parse(inspected);
    const pid = State.Pid === 0 ? undefined : State.Pid;
    return {
      pid,
      startedAtMs: Date.parse(State.StartedAt),
      health: State.Health?.Status ?? 'none',
      layerDirectories: layerDirectories(GraphDriver?.Data?.UpperDir || this.upperDirectoryOf(pid), LogPath),
    };
  }

  private upperDirectoryOf(pid: number | undefined): string | undefined {
    const mounts = pid === undefined ? undefined : this.parts.mountsOf(pid);
    return mounts === undefined ? undefined : upperDirectory(mounts);
  }
}

/** The writable layer and the directory of the logs; none when the layer's place is not told: half would mislead. */
function layerDirectories(upperDir: string | undefined, logPath: string | null | undefined): string[] {
  if (!upperDir) return [];
  return logPath ? [upperDir, logPath.slice(0, logPath.lastIndexOf('/'))] : [upperDir];
}

const noRun: Run = { pid: undefined, startedAtMs: undefined, health: 'none', layerDirectories: [] };
