/** What the cluster does when the fault strikes: two services nobody touches, and one that is being changed. */
import type { Cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import type { LabEngines } from '../support/lab-engines.ts';
import type { Phase } from './cell.ts';

/** Replicas on three hosts: two of `steady` on each, one of `all` on each. */
export const replicas = { steady: 6, all: 3, changing: 6 } as const;
export type WatchedService = keyof typeof replicas;

const REPLICAS_LEFT = 3;

/** The service that a phase creates, updates or scales. */
export const changing = { name: 'changing' } as const;

const IMAGE = 'plimsoll/sleep:1';
/** Two at a time, the new one first: an update lasts long enough to be struck in its middle. */
const UPDATE_FLAGS = ['--update-order', 'start-first', '--update-parallelism', '2', '--update-monitor', '500ms'];

/** What runs once the phase is over, by service. */
export function wantedAfter(phase: Phase): Readonly<Record<string, number>> {
  const { steady, all } = replicas;
  if (phase === 'idle') return { steady, all };
  return { steady, all, changing: phase === 'scaling down' ? REPLICAS_LEFT : replicas.changing };
}

/** What runs before it. */
export function wantedBefore(phase: Phase): Readonly<Record<string, number>> {
  const { steady, all } = replicas;
  return phase === 'idle' || phase === 'deploying' ? { steady, all } : { ...replicas };
}

export async function createUntouched(cluster: Cluster): Promise<void> {
  await cluster.create('all', '--mode', 'global', IMAGE);
  await cluster.create('steady', '--replicas', String(replicas.steady), IMAGE);
}

export async function createChanging(cluster: Cluster): Promise<void> {
  await cluster.create(changing.name, '--replicas', String(replicas.changing), ...UPDATE_FLAGS, IMAGE);
}

/** Begins what the phase is about and resolves in its middle. */
export async function beginPhase(phase: Phase, cluster: Cluster, engines: LabEngines): Promise<void> {
  switch (phase) {
    case 'idle':
      return;
    case 'deploying':
      await createChanging(cluster);
      return untilFirstRuns(engines, 0);
    case 'updating': {
      const last = await newestRevision(engines);
      await cluster.docker(
        'service',
        'update',
        '--detach',
        '--no-resolve-image',
        '--env-add',
        'CHANGED=yes',
        changing.name,
      );
      return untilFirstRuns(engines, last);
    }
    case 'scaling down':
      await cluster.docker('service', 'scale', '--detach', `${changing.name}=${REPLICAS_LEFT}`);
  }
}

async function newestRevision(engines: LabEngines): Promise<number> {
  const containers = await engines.containers();
  return Math.max(0, ...containers.filter(({ service }) => service === changing.name).map(({ revision }) => revision));
}

/** Waits until an engine lists the first container of a later revision. */
async function untilFirstRuns(engines: LabEngines, revision: number): Promise<void> {
  const isBegun = async () => (await newestRevision(engines)) > revision;
  await eventually(isBegun, {
    timeoutMs: 30_000,
    what: `the first container of ${changing.name} after revision ${revision}`,
  });
}
