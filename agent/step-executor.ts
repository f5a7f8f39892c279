/** Does one step of a task on the engine. */
import { overlayAttachments } from '../model/overlay-attachments.ts';
import type { TaskRecord } from '../model/task-record.ts';
import { isConflict, PlimsollError } from '../runtime/errors.ts';
import { withAttachments } from './attached-container.ts';
import { type ContainerRequest, containerRequest, templateContext } from './container-spec.ts';
import type { EngineNetworks } from './engine/docker-networks.ts';
import type { Engine } from './engine/engine.ts';
import type { FileMount, TaskFiles } from './files/task-files.ts';
import type { HostPlace } from './host-config.ts';
import type { ImageStore } from './image-store.ts';
import type { Attachment, Overlay } from './network/overlay/overlay.ts';
import type { Step } from './plan/step.ts';
import { ingressPorts, type PublishedPorts } from './published-ports.ts';

export type EngineStep = Exclude<Step, { kind: 'wait' | 'forget' }>;

/** A step the engine refused, with the part of it that failed. */
export class StepRefused extends Error {
  override readonly name = 'StepRefused';
  readonly step: 'pull' | 'create' | 'start';
  readonly refusal: PlimsollError;

  constructor(step: 'pull' | 'create' | 'start', refusal: PlimsollError) {
    super(refusal.message, { cause: refusal });
    this.step = step;
    this.refusal = refusal;
  }
}

export interface ExecutorParts {
  readonly engine: Engine;
  readonly images: ImageStore;
  readonly ports: PublishedPorts;
  readonly files: Pick<TaskFiles, 'prepare'>;
  /** Networks of the cluster. */
  readonly overlay: Pick<Overlay, 'attach' | 'placesOf' | 'withdraw'>;
  readonly networks: Pick<EngineNetworks, 'connect'>;
  readonly place: () => Promise<HostPlace>;
  /** Told of a new container's id before it starts. */
  readonly onCreated: (taskId: string, containerId: string) => void;
}

/** Throws StepRefused for refusals of the engine; `unavailable` and `timeout` pass through: try the step again. */
export async function executeStep(
  parts: ExecutorParts,
  record: TaskRecord,
  step: EngineStep,
  isCurrent: boolean,
  signal: AbortSignal,
): Promise<void> {
  switch (step.kind) {
    case 'pull':
      return refusable('pull', () => parts.images.ensure({ ...step, taskId: record.id }, signal));
    case 'create': {
      const containerId = await create(parts, record, step.attempt);
      parts.onCreated(record.id, containerId);
      if (signal.aborted) return;
      return refusable('start', () => parts.engine.start(containerId));
    }
    case 'start':
      // A host that was off has lost what lay in memory.
      await prepareFiles(parts, record, step.attempt);
      return refusable('start', async () => {
        await connectLeftOver(parts, record, step.containerId);
        await parts.engine.start(step.containerId);
      });
    case 'stop':
      if (isCurrent) await Promise.all([parts.ports.withdraw(record.id), parts.overlay.withdraw(record.id)]);
      return parts.engine.stop(step.containerId, step.graceMs);
    case 'remove':
      return parts.engine.remove(step.containerId);
  }
}

async function create(parts: ExecutorParts, record: TaskRecord, attempt: number): Promise<string> {
  const place = await parts.place();
  const files = await prepareFiles(parts, record, attempt);
  const published = ingressPorts(record).map((port) => ({ protocol: port.Protocol, port: port.PublishedPort }));
  return refusable('create', async () => {
    await parts.ports.checkFree(published);
    const request = containerRequest(record, attempt, place, files);
    const made = await make(parts, request, await parts.overlay.attach(record, attempt), place.clusterId);
    await connectFurther(parts, made);
    return made.containerId;
  });
}

interface MadeContainer {
  readonly containerId: string;
  /** Its places on networks of the cluster, those it is not on yet included. */
  readonly attachments: readonly Attachment[];
}

async function make(
  parts: ExecutorParts,
  request: ContainerRequest,
  attachments: readonly Attachment[],
  clusterId: string,
): Promise<MadeContainer> {
  try {
    return { containerId: await parts.engine.create(withAttachments(request, attachments)), attachments };
  } catch (error) {
    const existing = isConflict(error) ? await parts.engine.look(clusterId, request.name) : undefined;
    // An earlier call chose its addresses.
    if (existing) return { containerId: existing.id, attachments: parts.overlay.placesOf(existing.labels) };
    throw error;
  }
}

/** The first network comes with the container. */
async function connectFurther({ networks }: ExecutorParts, { containerId, attachments }: MadeContainer): Promise<void> {
  for (const attachment of attachments.slice(1)) await networks.connect(containerId, attachment);
}

/** Who made the container may have ended, or been refused, before it was on all its networks. */
async function connectLeftOver(parts: ExecutorParts, record: TaskRecord, containerId: string): Promise<void> {
  if (overlayAttachments(record.template).length < 2) return;
  const { clusterId } = await parts.place();
  const container = await parts.engine.look(clusterId, containerId);
  if (container) await connectFurther(parts, { containerId, attachments: parts.overlay.placesOf(container.labels) });
}

/** The secrets and configs of an attempt, on this host. */
async function prepareFiles(parts: ExecutorParts, record: TaskRecord, attempt: number): Promise<FileMount[]> {
  const { words, environment } = templateContext(record, attempt, await parts.place());
  return refusable('create', () => parts.files.prepare(record, words, environment));
}

async function refusable<T>(step: StepRefused['step'], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PlimsollError && error.code !== 'unavailable' && error.code !== 'timeout') {
      throw new StepRefused(step, error);
    }
    throw error;
  }
}
