/** Containers of a cluster on this host, found by their label; nobody else's are touched. */
import Docker from 'dockerode';
import { containerLabels } from '../../model/labels.ts';
import { socketPathOf } from './engine.ts';

const CONCURRENT_STOPS = 8;

/** Stops (each with its own grace) and removes every container of the cluster; answers how many there were. */
export async function removeClusterContainers(dockerUrl: string, clusterId: string): Promise<number> {
  const docker = new Docker({ socketPath: socketPathOf(dockerUrl) });
  const filters = { label: [`${containerLabels.cluster}=${clusterId}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const waiting = containers.map(({ Id }) => Id);
  const worker = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) await removeContainer(docker, id);
  };
  await Promise.all(Array.from({ length: CONCURRENT_STOPS }, worker));
  return containers.length;
}

/** One that is stopped or gone already is no error. */
async function removeContainer(docker: Docker, id: string): Promise<void> {
  const container = docker.getContainer(id);
  await container.stop().catch(ignoreStatus(304, 404));
  await container.remove({ force: true, v: true }).catch(ignoreStatus(404, 409));
}

function ignoreStatus(...codes: readonly number[]): (error: unknown) => void {
  return (error) => {
    const code = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
    if (typeof code !== 'number' || !codes.includes(code)) throw error;
  };
}
