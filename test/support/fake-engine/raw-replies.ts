/** Containers in the words of the Engine API, as far as the agent reads or passes them on. Pure. */
import type { ObservedContainer } from '../../../agent/plan/observed-container.ts';

export function rawRow(container: ObservedContainer): Record<string, unknown> {
  return {
    Id: container.id,
    Names: [`/${container.name}`],
    Image: container.image,
    Labels: container.labels,
    State: container.phase,
  };
}

export function rawInspection(container: ObservedContainer): Record<string, unknown> {
  const time = (ms: number | undefined) => (ms === undefined ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString());
  return {
    Id: container.id,
    Name: `/${container.name}`,
    Config: { Image: container.image, Labels: container.labels },
    State: {
      Status: container.phase,
      Running: container.phase === 'running',
      OOMKilled: container.oomKilled,
      Pid: container.pid ?? 0,
      ExitCode: container.exitCode,
      Error: container.error,
      StartedAt: time(container.startedAtMs),
      FinishedAt: time(container.finishedAtMs),
      ...(container.health === 'none' ? {} : { Health: { Status: container.health } }),
    },
    NetworkSettings: { IPAddress: container.address ?? '' },
  };
}
