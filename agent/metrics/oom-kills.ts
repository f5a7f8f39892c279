/** Processes killed for want of memory, counted so that neither a container's restart nor its removal loses any. */
import { containerLabels } from '../../model/labels.ts';

type Labels = Readonly<Record<string, string>>;

/** What the two sources say of one container. */
interface Kills {
  /** Of its earlier runs. */
  earlier: number;
  /** The kernel's count of this run: exact, but gone with the container, often before it could be read. */
  kernel: number;
  /**
   * Whether the engine told of a kill in this run. How often it did says nothing: with cgroup v1 it tells each time the
   * container is out of memory, four times for one kill was seen.
   */
  isTold: boolean;
}

export interface ServiceKills {
  readonly service: string;
  readonly stack: string;
  kills: number;
}

/** Of a host that has run ever new services for years, those heard of last are kept. */
const SERVICES_LIMIT = 1_000;
/** Containers whose removal nobody told us of, as the engine's events were cut off, must not pile up for ever. */
const CONTAINERS_LIMIT = 10_000;

export class OomKills {
  private readonly containers = new Map<string, Kills>();
  private readonly byService = new Map<string, ServiceKills>();

  /** The kernel's count, where it tells, from the container's cgroup; answers all kills of the container so far. */
  observe(containerId: string, labels: Labels, kernelCount: number | undefined): number {
    return this.change(containerId, labels, (kills) => {
      if (kernelCount === undefined) return;
      if (kernelCount < kills.kernel) beginRun(kills);
      kills.kernel = kernelCount;
    });
  }

  /** The engine told of a kill: there has been one at least. */
  event(containerId: string, labels: Labels): void {
    this.change(containerId, labels, (kills) => {
      kills.isTold = true;
    });
  }

  /** The container is started anew: the kernel counts from 0. */
  started(containerId: string): void {
    const kills = this.containers.get(containerId);
    if (kills) beginRun(kills);
  }

  /** The container is removed; what its service has lost stays counted. */
  forget(containerId: string): void {
    this.containers.delete(containerId);
  }

  services(): Iterable<Readonly<ServiceKills>> {
    return this.byService.values();
  }

  private change(containerId: string, labels: Labels, apply: (kills: Kills) => void): number {
    const kills = this.containers.get(containerId) ?? { earlier: 0, kernel: 0, isTold: false };
    this.remember(containerId, kills);
    const before = totalOf(kills);
    apply(kills);
    const total = totalOf(kills);
    this.addToService(labels, total - before);
    return total;
  }

  /** Those looked at last are kept. */
  private remember(containerId: string, kills: Kills): void {
    this.containers.delete(containerId);
    this.containers.set(containerId, kills);
    const [oldest] = this.containers.keys();
    if (this.containers.size > CONTAINERS_LIMIT && oldest !== undefined) this.containers.delete(oldest);
  }

  /** A service that has lost none yet is counted too: its first kill is then an increase. */
  private addToService(labels: Labels, kills: number): void {
    const service = labels[containerLabels.swarmServiceName] ?? labels['com.docker.compose.service'];
    if (!service) return;
    const stack = labels[containerLabels.stackNamespace] ?? labels['com.docker.compose.project'] ?? '';
    const key = `${stack}\0${service}`;
    const known = this.byService.get(key) ?? { service, stack, kills: 0 };
    known.kills += kills;
    if (kills === 0 && this.byService.has(key)) return;
    this.byService.delete(key);
    this.byService.set(key, known);
    const [oldest] = this.byService.keys();
    if (this.byService.size > SERVICES_LIMIT && oldest !== undefined) this.byService.delete(oldest);
  }
}

function totalOf({ earlier, kernel, isTold }: Kills): number {
  return earlier + Math.max(kernel, isTold ? 1 : 0);
}

function beginRun(kills: Kills): void {
  kills.earlier = totalOf(kills);
  kills.kernel = 0;
  kills.isTold = false;
}
