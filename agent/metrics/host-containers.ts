/** Containers of this host that are not the cluster's: measured too, never touched. */
import { z } from 'zod';
import type { Engine } from '../engine/engine.ts';
import type { MeasuredContainer } from './container-metrics.ts';

const Listed = z.object({
  Id: z.string(),
  Names: z.array(z.string()).nullish(),
  Image: z.string(),
  Labels: z.record(z.string(), z.string()).nullish(),
});
const Inspected = z.object({ State: z.object({ Pid: z.number(), StartedAt: z.string() }) });

type Runs = Pick<MeasuredContainer, 'pid' | 'startedAtMs'>;

/** Remembers each container's first process, so that a scrape costs the engine one list and nothing else. */
export class HostContainers {
  private readonly engine: Pick<Engine, 'listRaw' | 'inspectRaw'>;
  private readonly isAlive: (pid: number, containerId: string) => boolean;
  private runs = new Map<string, Runs>();

  /** `isAlive`: is this process still the container's? A container that was restarted has another. */
  constructor(engine: Pick<Engine, 'listRaw' | 'inspectRaw'>, isAlive: (pid: number, containerId: string) => boolean) {
    this.engine = engine;
    this.isAlive = isAlive;
  }

  /** Running containers except the given ones. Throws what the engine throws. */
  async othersThan(ownIds: ReadonlySet<string>): Promise<MeasuredContainer[]> {
    const listed = z.array(Listed).parse(await this.engine.listRaw(false));
    const others = listed.filter((container) => !ownIds.has(container.Id));
    const known = this.runs;
    this.runs = new Map();
    for (const { Id } of others) this.runs.set(Id, await this.runOf(Id, known.get(Id)));
    return others.map((container) => ({
      id: container.Id,
      name: (container.Names?.[0] ?? '').replace(/^\//, ''),
      image: container.Image,
      labels: container.Labels ?? {},
      ...(this.runs.get(container.Id) ?? noRun),
    }));
  }

  private async runOf(containerId: string, known: Runs | undefined): Promise<Runs> {
    if (known?.pid !== undefined && this.isAlive(known.pid, containerId)) return known;
    const inspected = await this.engine.inspectRaw(containerId).catch(() => undefined);
    if (!inspected) return noRun;
    const { State } = Inspected.parse(inspected);
    return { pid: State.Pid === 0 ? undefined : State.Pid, startedAtMs: Date.parse(State.StartedAt) };
  }
}

const noRun: Runs = { pid: undefined, startedAtMs: undefined };
