/** `plim down`: this host without Plimsoll. */
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { DEFAULT_FILES_DIR } from '../../agent/settings.ts';
import { systemClock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import { createApiClient } from '../api-client.ts';
import { removeDockerContext } from '../docker-cli.ts';
import { engineRunDir } from '../host/engine.ts';
import { clusterIdOf } from '../host/join-cluster.ts';
import {
  clearContainers,
  clearNetwork,
  removeEmptyDirectory,
  removeFiles,
  stopUnits,
  type TakeDownParts,
} from '../host/take-down.ts';
import { unitHostOf } from '../host/this-host.ts';
import { releaseFromHost } from '../monitoring/monitoring-place.ts';
import { nativeUnits, unitName } from '../monitoring/native-monitoring.ts';
import { monitoringPrograms } from '../monitoring/native-programs.ts';
import {
  AbsolutePath,
  addSocketOption,
  addStateDirOption,
  DEFAULT_DOCKER,
  DEFAULT_SOCKET,
  DEFAULT_STATE_DIR,
  Switch,
  settingsOf,
} from '../settings.ts';
import type { Terminal } from '../terminal.ts';
import { DOCKER_CONTEXT } from './context.ts';

const DownSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  socket: AbsolutePath.default(DEFAULT_SOCKET),
  docker: z.string().default(DEFAULT_DOCKER),
  purge: Switch.default(false),
  filesDir: AbsolutePath.default(DEFAULT_FILES_DIR),
  context: Switch.default(true),
});
type DownSettings = z.infer<typeof DownSettings>;

const examples = `
Examples:
  plim down           the services come back with the next "plim up"
  plim down --purge   the cluster is gone for good`;

export function addDownCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('down')
    .description("stop Plimsoll on this host and remove the cluster's containers from it");
  addSocketOption(addStateDirOption(command))
    .option('--docker <url>', `this host's Docker Engine (default "${DEFAULT_DOCKER}")`)
    .option('--files-dir <directory>', `where the agent kept secrets and configs (default "${DEFAULT_FILES_DIR}")`)
    .option('--purge', "remove the state directory too: the cluster's services, keys and metrics")
    .option('--no-context', 'leave the docker context alone')
    .addHelpText('after', examples)
    .action((_flags: unknown, given: Command) => down(settingsOf(DownSettings, given), terminal));
}

async function down(settings: DownSettings, terminal: Terminal): Promise<void> {
  const { stateDir, socket, docker, filesDir } = settings;
  const units = unitHostOf(stateDir);
  const parts: TakeDownParts = { units, clock: systemClock, note: (line) => terminal.err(`down: ${line}\n`) };
  const clusterId = clusterIdOf(stateDir);
  if ((await nativeUnits(units)).length > 0) await releaseMonitoring(socket, parts);
  await stopUnits([...monitoringPrograms.map(unitName), 'prometheus', 'coordinator', 'agent', 'dns'], parts);
  if (clusterId !== undefined) {
    await clearContainers(docker, clusterId, parts);
    await clearNetwork(docker, clusterId, parts);
  }
  await stopUnits(['nats', 'dockerd', 'containerd'], parts);
  await units.close();
  await removeFiles([socket, engineRunDir(socket), filesDir]);
  removeEmptyDirectory(dirname(socket));
  if (settings.context) await removeContext(parts);
  if (settings.purge) await removeFiles([stateDir]);
  terminal.out(
    settings.purge ? 'Plimsoll is gone from this host.\n' : `Plimsoll is down; its state is in ${stateDir}.\n`,
  );
}

/** While there is a coordinator to be told. */
async function releaseMonitoring(socket: string, parts: TakeDownParts): Promise<void> {
  await releaseFromHost(createApiClient(socket), hostname()).catch((error) =>
    parts.note(`the cluster was not told that Prometheus and the others stop here: ${messageOf(error)}`),
  );
}

async function removeContext(parts: TakeDownParts): Promise<void> {
  await removeDockerContext(DOCKER_CONTEXT).catch((error) =>
    parts.note(`docker context not removed: ${messageOf(error)}`),
  );
}
