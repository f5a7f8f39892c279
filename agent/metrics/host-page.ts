/** The containers' metrics page of this host: the cluster's containers as the agent knows them, and all others. */
import { readFileSync } from 'node:fs';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Engine } from '../engine/engine.ts';
import { createContainerMetrics, type MeasuredContainer } from './container-metrics.ts';
import { HostContainers } from './host-containers.ts';

export interface HostPageParts {
  readonly engine: Pick<Engine, 'listRaw' | 'inspectRaw'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Answers a function that measures the given containers of ours plus every other running one at each call. */
export function createHostPage(parts: HostPageParts): (own: readonly MeasuredContainer[]) => Promise<string> {
  const { clock, log } = parts;
  const metrics = createContainerMetrics({ clock, read: readIfThere, cgroupRoot: '/sys/fs/cgroup', procRoot: '/proc' });
  const host = new HostContainers(parts.engine, (pid, containerId) =>
    (readIfThere(`/proc/${pid}/cgroup`) ?? '').includes(containerId),
  );
  return async (own) => {
    const others = await host.othersThan(new Set(own.map((container) => container.id))).catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'cannot list the other containers: only our own are measured');
      return [];
    });
    return metrics.page([...own, ...others]);
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
