/**
 * How much the containers' writable layers and logs hold: a walk over their files, which is dear. So it is only done when
 * asked for, one container after another in the background, with a small share of one processor.
 */
import { lstatSync, opendirSync, type Stats, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { DeviceName } from './cgroup-io.ts';
import type { Put } from './metric-catalogue.ts';

export interface LayerPlace {
  readonly containerId: string;
  /** As this process sees them; the first is the layer. */
  readonly directories: readonly string[];
}

export interface LayerSizesParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly deviceNames: DeviceName;
  /** The running containers whose layer's place is known. */
  readonly places: () => readonly LayerPlace[];
}

interface Size {
  readonly usedBytes: number;
  readonly inodes: number;
  /** Of the file system the layer lies on. */
  readonly device: string;
  readonly capacityBytes: number;
}

/** The walk works for at most this long, then rests so that it uses a twentieth of a processor. */
const STINT_MS = 2;
const REST_PER_WORK = 19;
/** A layer is not measured again before that. */
const REMEASURE_MS = 60_000;
/** How often new containers are looked for. */
const LOOK_MS = 2_000;
/** Unit of st_blocks, whatever the file system's own. */
const BLOCK_BYTES = 512;

export class LayerSizes {
  private readonly parts: LayerSizesParts;
  /** When each container was measured last, and what came of it. */
  private readonly sizes = new Map<string, { readonly atMs: number; readonly size: Size | undefined }>();

  constructor(parts: LayerSizesParts) {
    this.parts = parts;
  }

  /** Measures until the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.measureDue(signal).catch((error) => {
        if (!signal.aborted) this.parts.log.warn({ error: messageOf(error) }, 'cannot measure the writable layers');
      });
      await this.parts.clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }

  put(containerId: string, put: Put): void {
    const size = this.sizes.get(containerId)?.size;
    if (!size) return;
    const device = `device="${size.device}"`;
    put('container_fs_usage_bytes', size.usedBytes, device);
    put('container_fs_limit_bytes', size.capacityBytes, device);
    put('container_fs_inodes_total', size.inodes, device);
  }

  private async measureDue(signal: AbortSignal): Promise<void> {
    const places = this.parts.places();
    const running = new Set(places.map(({ containerId }) => containerId));
    for (const id of this.sizes.keys()) if (!running.has(id)) this.sizes.delete(id);
    const { clock, log } = this.parts;
    for (const { containerId, directories } of places) {
      const known = this.sizes.get(containerId);
      if (known && clock.elapsedMs() - known.atMs < REMEASURE_MS) continue;
      const size = await this.measure(directories, signal).catch((error) => {
        if (signal.aborted) throw error;
        // The others are measured all the same.
        log.warn({ containerId, error: messageOf(error) }, 'cannot measure a writable layer: trying again in a minute');
        return undefined;
      });
      this.sizes.set(containerId, { atMs: clock.elapsedMs(), size });
    }
  }

  private async measure([layer, ...others]: readonly string[], signal: AbortSignal): Promise<Size | undefined> {
    const stat = layer === undefined ? undefined : lstatOf(layer);
    if (layer === undefined || !stat) return undefined;
    const stint = new Stint(this.parts.clock, signal);
    const walked = { usedBytes: 0, inodes: 0, linked: new Set<number>() };
    for (const directory of [layer, ...others]) await walk(directory, stat.dev, walked, stint);
    const { bsize, blocks } = statfsSync(layer);
    const { usedBytes, inodes } = walked;
    return { usedBytes, inodes, device: this.parts.deviceNames(majorMinorOf(stat.dev)), capacityBytes: bsize * blocks };
  }
}

interface Walked {
  usedBytes: number;
  inodes: number;
  /** Inodes of files with several names, which count once. */
  readonly linked: Set<number>;
}

/** Stays on the device it began on. */
async function walk(directory: string, device: number, walked: Walked, stint: Stint): Promise<void> {
  const waiting = [directory];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const name of namesIn(next)) {
      const path = join(next, name);
      const stat = lstatOf(path);
      if (!stat || stat.dev !== device) continue;
      if (stat.isDirectory()) waiting.push(path);
      count(stat, walked);
      await stint.restIfDue();
    }
  }
}

function count(stat: Stats, walked: Walked): void {
  if (stat.nlink > 1 && !stat.isDirectory()) {
    if (walked.linked.has(stat.ino)) return;
    walked.linked.add(stat.ino);
  }
  walked.usedBytes += stat.blocks * BLOCK_BYTES;
  walked.inodes += 1;
}

/** One by one: a directory may hold a million names. What is removed meanwhile is not counted. */
function* namesIn(directory: string): Generator<string> {
  let open: ReturnType<typeof opendirSync>;
  try {
    open = opendirSync(directory);
  } catch {
    return;
  }
  try {
    for (let entry = open.readSync(); entry; entry = open.readSync()) yield entry.name;
  } finally {
    open.closeSync();
  }
}

function lstatOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** As the kernel packs them into st_dev, see makedev(3). */
function majorMinorOf(device: number): string {
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return `${major}:${minor}`;
}

class Stint {
  private readonly clock: Clock;
  private readonly signal: AbortSignal;
  private begunMs: number;

  constructor(clock: Clock, signal: AbortSignal) {
    this.clock = clock;
    this.signal = signal;
    this.begunMs = clock.elapsedMs();
  }

  /** Throws when the signal aborts. */
  async restIfDue(): Promise<void> {
    const workedMs = this.clock.elapsedMs() - this.begunMs;
    if (workedMs < STINT_MS) return;
    await this.clock.sleep(workedMs * REST_PER_WORK, this.signal);
    this.begunMs = this.clock.elapsedMs();
  }
}
