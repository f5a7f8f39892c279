/** The engines below: what really runs, whoever started it. */
import type { LabHost } from '../../support/lab.ts';
import { EngineApi } from '../engine-api.ts';
import { secondsUntil } from '../measure.ts';

export interface ContainerRow {
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>>;
}

export function runningContainers(engine: EngineApi): Promise<readonly ContainerRow[]> {
  return engine.call('GET', '/containers/json');
}

/** Waits until the engines together run just `count` containers. */
export async function settle(hosts: readonly LabHost[], count: number): Promise<void> {
  const engines = hosts.map((host) => new EngineApi(host.engineSocket));
  try {
    await secondsUntil(async () => (await Promise.all(engines.map(runningContainers))).flat().length === count);
  } finally {
    await Promise.all(engines.map((engine) => engine.close()));
  }
}
