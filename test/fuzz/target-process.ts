/** The process `npm run fuzz` fires at: both APIs, alone with their memory. Speaks with its parent. */

import { type ApiRoute, routesOf } from './routes.ts';
import { type ServedApis, serveApis } from './served-apis.ts';

/** What the parent hears first. */
export interface TargetReady {
  readonly socketPath: string;
  readonly pagesPort: number;
  readonly routes: {
    readonly docker: readonly ApiRoute[];
    readonly local: readonly ApiRoute[];
    readonly readOnly: readonly ApiRoute[];
  };
}

/** What it hears whenever it asks: the memory that is left once garbage and what requests made are gone. */
export interface TargetMemory {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

const apis = await serveApis();
const { docker, local, readOnly } = apis.listeners;
const ready: TargetReady = {
  socketPath: apis.socketPath,
  pagesPort: apis.pagesPort,
  routes: { docker: routesOf(docker), local: routesOf(local), readOnly: routesOf(readOnly) },
};
process.on('message', () => void tidyMemory(apis).then((memory) => process.send?.(memory)));
process.on('disconnect', () => void apis.stop().then(() => process.exit()));
process.send?.(ready);

async function tidyMemory({ memory, reset }: ServedApis): Promise<TargetMemory> {
  await reset();
  memory.events.length = 0;
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    globalThis.gc?.();
  }
  const { rss: residentBytes, heapUsed: heapBytes } = process.memoryUsage();
  return { residentBytes, heapBytes };
}
