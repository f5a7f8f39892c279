/** Keeps images from filling the engine's disk: looks every few minutes, removes only under pressure. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { JsonFiles } from '../runtime/files.ts';
import type { Log } from '../runtime/log.ts';
import { Poke, runLoop } from '../runtime/loop.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { Engine } from './engine/engine.ts';
import type { Host } from './host.ts';
import { type ImageUse, removableImages } from './plan/image-cleanup.ts';
import type { SupervisedTask } from './supervised-task.ts';

const LOOK_MS = 5 * 60_000;
const RETRY_MS = 60_000;

const ImageUses = z.array(
  z.object({ image: z.string(), serviceId: z.string(), pulled: z.boolean().default(false), lastUsedAtMs: z.number() }),
);
const Listed = z.array(z.object({ Image: z.string() }));

export interface HousekeepingParts {
  readonly engine: Engine;
  readonly host: Pick<Host, 'diskUse'>;
  readonly files: JsonFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AgentMetrics;
  readonly stateDir: string;
  readonly cleanupAbove: number;
  readonly tasks: () => readonly SupervisedTask[];
  /** Whether this agent has pulled an image. */
  readonly hasPulled: (image: string) => boolean;
  /** The engine's root directory, undefined while it has not answered. */
  readonly rootDir: () => string | undefined;
}

/** Runs until the signal aborts. */
export async function keepHouse(parts: HousekeepingParts, signal: AbortSignal): Promise<void> {
  const file = join(parts.stateDir, 'node', 'images.json');
  const known = await parts.files.read(file).catch(() => undefined);
  let uses: readonly ImageUse[] = ImageUses.safeParse(known).data ?? [];
  const tick = async () => {
    uses = withCurrentUses(uses, parts);
    const removed = (await isDiskFull(parts)) ? await removeImages(parts, uses) : [];
    uses = uses.filter(({ image }) => !removed.includes(image));
    await parts.files.write(file, uses);
  };
  const onError = (error: unknown) =>
    parts.log.warn({ error: messageOf(error) }, 'could not look after the images of this node');
  const times = { minGapMs: 1_000, resyncMs: LOOK_MS, retryMs: RETRY_MS };
  await runLoop({ tick, poke: new Poke(), times, clock: parts.clock, onError }, signal);
}

function withCurrentUses(before: readonly ImageUse[], { tasks, clock, hasPulled }: HousekeepingParts): ImageUse[] {
  const uses = new Map(before.map((use) => [`${use.serviceId} ${use.image}`, use]));
  for (const { record } of tasks()) {
    const { serviceId } = record;
    const image = record.template.ContainerSpec.Image;
    const key = `${serviceId} ${image}`;
    const pulled = uses.get(key)?.pulled === true || hasPulled(image);
    uses.set(key, { image, serviceId, pulled, lastUsedAtMs: clock.wallMs() });
  }
  return [...uses.values()];
}

/** Of an engine on another machine we cannot say, so we remove nothing. */
async function isDiskFull({ host, rootDir, cleanupAbove }: HousekeepingParts): Promise<boolean> {
  const path = rootDir();
  const use = path === undefined ? undefined : await host.diskUse(path);
  return use !== undefined && use > cleanupAbove;
}

async function removeImages(
  { engine, clock, log, metrics, tasks }: HousekeepingParts,
  uses: readonly ImageUse[],
): Promise<string[]> {
  const listed = Listed.parse(await engine.listRaw(true));
  const assigned = tasks().map(({ record }) => record.template.ContainerSpec.Image);
  const inUse = new Set([...assigned, ...listed.map((container) => container.Image)]);
  const removed: string[] = [];
  for (const image of removableImages(uses, inUse, clock.wallMs())) {
    await engine.removeImage(image);
    removed.push(image);
    metrics.imagesRemoved.inc();
    log.info({ image }, 'removed an image nobody uses: the disk of the engine is nearly full');
  }
  return removed;
}
