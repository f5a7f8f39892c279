/** `plim leave`: this host is no node any more. */
import type { Command } from 'commander';
import { z } from 'zod';
import { DEFAULT_FILES_DIR } from '../../agent/settings.ts';
import { nodeIdentityFile, readNodeIdentity } from '../../bus/identity/user-identity.ts';
import { systemClock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { hostsCluster } from '../host/join-cluster.ts';
import { clearContainers, clearNetwork, removeFiles, stopUnits, type TakeDownParts } from '../host/take-down.ts';
import { unitHostOf } from '../host/this-host.ts';
import { AbsolutePath, addStateDirOption, DEFAULT_DOCKER, DEFAULT_STATE_DIR, Switch, settingsOf } from '../settings.ts';
import type { Terminal } from '../terminal.ts';

const LeaveSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  docker: z.string().default(DEFAULT_DOCKER),
  filesDir: AbsolutePath.default(DEFAULT_FILES_DIR),
  keep: Switch.default(false),
});
type LeaveSettings = z.infer<typeof LeaveSettings>;

export function addLeaveCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('leave')
    .description("stop this host's agent, remove the cluster's containers and forget the cluster");
  addStateDirOption(command)
    .option('--docker <url>', `this host's Docker Engine (default "${DEFAULT_DOCKER}")`)
    .option('--files-dir <directory>', `where the agent kept secrets and configs (default "${DEFAULT_FILES_DIR}")`)
    .option('--keep', 'leave the containers running')
    .addHelpText('after', '\nThe cluster shows the node as Down until "docker node rm" removes it there.')
    .action((_flags: unknown, given: Command) => leave(settingsOf(LeaveSettings, given), terminal));
}

async function leave({ stateDir, docker, filesDir, keep }: LeaveSettings, terminal: Terminal): Promise<void> {
  if (hostsCluster(stateDir)) {
    throw new PlimsollError('precondition', 'This host runs the cluster\'s coordinator: "plim down" takes it down');
  }
  const { clusterId, nodeId } = readNodeIdentity(stateDir);
  const units = unitHostOf(stateDir);
  const parts: TakeDownParts = { units, clock: systemClock, note: (line) => terminal.err(`leave: ${line}\n`) };
  await stopUnits(['agent', 'dns'], parts);
  if (!keep) {
    await clearContainers(docker, clusterId, parts);
    await clearNetwork(docker, clusterId, parts);
    await removeFiles([filesDir]);
  }
  await removeFiles([nodeIdentityFile(stateDir)]);
  if ((await units.names()).length === 0) await units.close();
  terminal.out(`This host has left the cluster. On a coordinator's host: docker node rm ${nodeId}\n`);
}
