/**
 * Every call the agent makes to a container engine. Errors are PlimsollErrors: `unavailable` when the engine does not
 * answer at all, `timeout` when it does not answer in time, else the engine's refusal in its own words.
 */
import type { GenericResource } from '../../model/generic-resources.ts';
import type { LogsRequest, StatsRequest } from '../../model/messages.ts';
import type { ContainerRequest } from '../container-spec.ts';
import type { ObservedContainer } from '../plan/observed-container.ts';

export interface EngineDescription {
  readonly version: string;
  readonly apiVersion: string;
  readonly os: string;
  readonly architecture: string;
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly plugins: readonly { readonly type: string; readonly name: string }[];
  readonly liveRestore: boolean;
  readonly loggingDriver: string;
  /** Where the engine keeps images and containers. */
  readonly rootDir: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** What the host has that Docker has no word for. */
  readonly generic: readonly GenericResource[];
}

/** Something happened to a container of our cluster: look at it again. */
export interface EngineEvent {
  readonly action: string;
  readonly containerId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly atMs: number;
}

export type LogsOptions = Omit<LogsRequest, 'taskId'>;
export type StatsOptions = Omit<StatsRequest, 'id'>;

export interface Engine {
  ping(): Promise<void>;
  describe(): Promise<EngineDescription>;
  /** All containers that carry the cluster's label, running or not. */
  listOwn(clusterId: string): Promise<ObservedContainer[]>;
  /** Undefined when there is no such container, or it does not carry the cluster's label. */
  look(clusterId: string, idOrName: string): Promise<ObservedContainer | undefined>;
  /** The engine's own list of containers, ours and others', as its API words it. */
  listRaw(all: boolean): Promise<Record<string, unknown>[]>;
  /** The engine's own inspection of a container. Throws `not-found`. */
  inspectRaw(idOrName: string): Promise<Record<string, unknown>>;
  /** Answers the new container's id. Throws `not-found` when the image is not there, `conflict` when the name is taken. */
  create(request: ContainerRequest): Promise<string>;
  start(containerId: string): Promise<void>;
  /** Resolves when it has stopped: asked nicely, then killed after `graceMs`. Fine when it is gone already. */
  stop(containerId: string, graceMs: number): Promise<void>;
  /** Removes a container and its anonymous volumes. Fine when it is gone already. */
  remove(containerId: string): Promise<void>;
  hasImage(reference: string): Promise<boolean>;
  /** Fails when nothing has come for a minute; a slow pull may take as long as it likes. `registryAuth`: X-Registry-Auth. */
  pull(reference: string, signal: AbortSignal, registryAuth?: string): Promise<void>;
  /** Takes in what `docker save` writes. Throws the engine's words when it is damaged or the disk is full. */
  loadImage(archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Gives an image that is here a name more. Throws `not-found`. */
  tagImage(imageId: string, reference: string): Promise<void>;
  /** Fine when it is gone already or still in use. */
  removeImage(reference: string): Promise<void>;
  /** Resolves once events flow; `onEnd` is called when they stop. */
  events(
    clusterId: string,
    onEvent: (event: EngineEvent) => void,
    onEnd: () => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Logs in Docker's multiplexed frames, also of a container with a terminal. */
  logs(containerId: string, options: LogsOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Resource usage as the engine's API words it: one JSON object a second, or one only. Throws `not-found`. */
  stats(idOrName: string, options: StatsOptions, signal: AbortSignal): AsyncIterable<Uint8Array>;
}
