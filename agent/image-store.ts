/**
 * Has images ready on this node: from a registry, or from another node that has them. One fetch at a time per image, two
 * at a time in all, and none of an image that just failed.
 */
import { createSealingKeys, openSealed } from '../bus/identity/sealing.ts';
import { ImageHead, type ImageRequest, type RegistryAuthRequest, SealedRegistryAuth } from '../model/image-transfer.ts';
import { backoffMs } from '../runtime/backoff.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf, PlimsollError } from '../runtime/errors.ts';
import { KeyedQueue } from '../runtime/keyed-queue.ts';
import type { Engine } from './engine/engine.ts';

/** A tag looked up this recently is not looked up again. */
const FRESH_MS = 60_000;
const AUTH_WITHIN_MS = 5_000;
export const FETCHES_AT_ONCE = 2;
/** Shared by all tasks of the node that want the image. */
export const FETCH_BACKOFF = { firstMs: 1_000, maxMs: 30_000 };

/** What the cluster has for a node that needs an image. */
export interface ImagesOfCluster {
  /** Streams the image from another node; throws `not-found` when none has it. */
  image(request: ImageRequest, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The credentials of a task's service, sealed; empty when it has none. */
  registryAuth(request: RegistryAuthRequest, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface WantedImage {
  readonly image: string;
  /** Ask a registry first though it may be here. */
  readonly refresh: boolean;
  /** The task that wants it: its service's credentials are used. */
  readonly taskId: string;
}

interface Failure {
  readonly count: number;
  readonly error: unknown;
  readonly retryAtMs: number;
}

export class ImageStore {
  private readonly engine: Engine;
  private readonly clock: Clock;
  private readonly ofCluster: ImagesOfCluster;
  private readonly queue = new KeyedQueue(FETCHES_AT_ONCE);
  private readonly fetches = new Map<string, Promise<void>>();
  private readonly fetched = new Set<string>();
  private readonly lookedUpAtMs = new Map<string, number>();
  private readonly failures = new Map<string, Failure>();

  constructor(engine: Engine, clock: Clock, ofCluster: ImagesOfCluster = noCluster) {
    this.engine = engine;
    this.clock = clock;
    this.ofCluster = ofCluster;
  }

  /**
   * Resolves when the image is on the node. With `refresh` a registry is asked first, and the image that lies here will do
   * if it fails, as Swarm has it. Throws `not-found` with the registry's words, the same ones until its back-off is over.
   */
  async ensure({ image, refresh, taskId }: WantedImage, signal: AbortSignal): Promise<void> {
    const here = await this.engine.hasImage(image);
    if (here && (!refresh || this.isFresh(image))) return;
    try {
      await orAborted(this.fetchOnce(image, here, taskId), signal);
      if (!here) this.fetched.add(image);
    } catch (error) {
      if (signal.aborted || isUnavailable(error)) throw error;
      if (!here) throw new PlimsollError('not-found', `No such image: ${image}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Whether an image that was not on the node was fetched here since this start. */
  hasPulled(image: string): boolean {
    return this.fetched.has(image);
  }

  private isFresh(image: string): boolean {
    const atMs = this.lookedUpAtMs.get(image);
    return atMs !== undefined && this.clock.elapsedMs() - atMs < FRESH_MS;
  }

  private fetchOnce(image: string, here: boolean, taskId: string): Promise<void> {
    const running = this.fetches.get(image);
    if (running) return running;
    const failure = this.failures.get(image);
    if (failure && this.clock.elapsedMs() < failure.retryAtMs) return Promise.reject(failure.error);
    const fetch = new Promise<void>((resolve, reject) => {
      this.queue.offer(image, () => this.fetch(image, here, taskId).then(resolve, reject));
    }).finally(() => {
      this.fetches.delete(image);
      this.lookedUpAtMs.set(image, this.clock.elapsedMs());
    });
    this.fetches.set(image, fetch);
    return fetch;
  }

  private async fetch(image: string, here: boolean, taskId: string): Promise<void> {
    try {
      await this.fetchFromAnywhere(image, here, taskId);
      this.failures.delete(image);
    } catch (error) {
      const count = (this.failures.get(image)?.count ?? 0) + 1;
      const retryAtMs = this.clock.elapsedMs() + backoffMs(FETCH_BACKOFF, count);
      if (!isUnavailable(error)) this.failures.set(image, { count, error, retryAtMs });
      throw error;
    }
  }

  /** What a registry has wins where the tag moves or the image is here; else a neighbour is nearer. */
  private async fetchFromAnywhere(image: string, here: boolean, taskId: string): Promise<void> {
    const { signal } = new AbortController();
    const pull = async () => this.engine.pull(image, signal, await this.registryAuth(taskId));
    if (here) return pull();
    const isMoving = !image.includes('@') && /(^|\/)[^/:]+(:latest)?$/.test(image);
    if (isMoving) {
      return pull().catch((error) => this.orFromCluster(image, error, signal));
    }
    const problem = await this.fromCluster(image, signal);
    if (problem === undefined) return;
    await pull().catch((error) => {
      throw problem.code === 'not-found' || isUnavailable(error) ? error : withBoth(error, problem);
    });
  }

  /** Undefined also when no coordinator answers: the registry's own refusal then says that credentials are wanted. */
  private async registryAuth(taskId: string): Promise<string | undefined> {
    const { seed, publicKey } = createSealingKeys();
    const asking = new AbortController();
    const cancel = this.clock.after(AUTH_WITHIN_MS, () => asking.abort());
    try {
      for await (const chunk of this.ofCluster.registryAuth({ taskId, publicKey }, asking.signal)) {
        const sealed = SealedRegistryAuth.parse(JSON.parse(Buffer.from(chunk).toString()));
        return Buffer.from(openSealed(seed, sealed)).toString();
      }
      return undefined;
    } catch (error) {
      if (error instanceof PlimsollError) return undefined;
      throw error;
    } finally {
      cancel();
    }
  }

  private async orFromCluster(image: string, refusal: unknown, signal: AbortSignal): Promise<void> {
    if (isUnavailable(refusal)) throw refusal;
    const problem = await this.fromCluster(image, signal);
    if (problem !== undefined) throw problem.code === 'not-found' ? refusal : withBoth(refusal, problem);
  }

  /** Answers why it could not be had; undefined when it could. The engine's own absence is thrown. */
  private async fromCluster(image: string, signal: AbortSignal): Promise<PlimsollError | undefined> {
    // A digest is of a registry's manifest, which an archive does not bring along.
    if (image.includes('@')) return new PlimsollError('not-found', 'images by digest come from registries');
    const ending = new AbortController();
    let chunks: AsyncIterator<Uint8Array> | undefined;
    try {
      chunks = this.ofCluster.image({ reference: image }, ending.signal)[Symbol.asyncIterator]();
      await this.load(image, chunks, signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof PlimsollError)) throw error;
      // No coordinator that answers is as good as no neighbour that has it.
      return error.code === 'unavailable' ? new PlimsollError('not-found', error.message, { cause: error }) : error;
    } finally {
      ending.abort();
      // A stream that is not read to its end sees no signal either: both its sides would stay open for ever.
      await chunks?.return?.();
    }
  }

  private async load(image: string, chunks: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<void> {
    const first = await chunks.next();
    if (first.done) throw new PlimsollError('unavailable', 'the stream of the image ended before it began');
    const { imageId } = ImageHead.parse(JSON.parse(Buffer.from(first.value).toString()));
    if (!(await this.engine.hasImage(imageId))) {
      await this.engine.loadImage({ [Symbol.asyncIterator]: () => chunks }, signal);
      await this.refuseOther(imageId);
    }
    await this.engine.tagImage(imageId, image);
  }

  /** An archive that is not what was announced has brought another image, which nothing names. */
  private async refuseOther(imageId: string): Promise<void> {
    if (await this.engine.hasImage(imageId)) return;
    throw new PlimsollError('invalid', `What another node sent as ${imageId} has another digest`);
  }
}

function nobodyToAsk(): never {
  throw new PlimsollError('not-found', 'no other node can be asked');
}

const noCluster: ImagesOfCluster = { image: nobodyToAsk, registryAuth: nobodyToAsk };

function withBoth(refusal: unknown, problem: PlimsollError): PlimsollError {
  return new PlimsollError('not-found', `${messageOf(refusal)}; from another node: ${problem.message}`);
}

function isUnavailable(error: unknown): boolean {
  return error instanceof PlimsollError && error.code === 'unavailable';
}

/** The fetch itself goes on for others that wait for it. */
function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new PlimsollError('timeout', 'The pull is no longer wanted'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
