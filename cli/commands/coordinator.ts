/** `plim coordinator`: the cluster's API and head. */
import type { Command } from 'commander';
import { z } from 'zod';
import { openCluster } from '../../bus/identity/cluster.ts';
import { natsServerCommand, natsServerReady } from '../../bus/server/nats-server.ts';
import { systemClock } from '../../runtime/clock.ts';
import { programVersion } from '../../runtime/version.ts';
import { defaultAdvertiseAddress } from '../host/default-address.ts';
import { clusterAddress, DEFAULT_NATS_PORT, foundCluster } from '../host/join-cluster.ts';
import { supervisedHostOf } from '../host/this-host.ts';
import { natsUnit } from '../host/units.ts';
import { runUntilTold } from '../run-daemon.ts';
import { AbsolutePath, addSocketOption, addStateDirOption, DEFAULT_STATE_DIR, Port, settingsOf } from '../settings.ts';

const NATS_TIMEOUT_MS = 20_000;

const FoundingSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  advertise: z.ipv4().optional(),
  natsServer: z.string().optional(),
  natsPort: Port.default(DEFAULT_NATS_PORT),
});

const notes = `
Creates the cluster if the state directory holds none. With --nats-server it also keeps NATS running, as a process of
its own that outlives the coordinator; without, something else runs "plim nats" or the unit "plim up" makes.`;

export function addCoordinatorCommand(program: Command): void {
  const command = program
    .command('coordinator')
    .description("serve the cluster's API; the one that leads plans for it");
  addSocketOption(addStateDirOption(command))
    .option('--advertise <address>', "IPv4 address other hosts reach this one at (default: the default route's)")
    .option('--port <port>', 'port of /metrics, /v1/sd and health (default 7700)')
    .option('--nats-server <program>', 'keep this nats-server (2.10 or newer) running too')
    .option('--nats-port <port>', "port of a new cluster's NATS server (default 4222)")
    .option('--log-level <level>', 'debug, info, warn, error or silent (default "info")')
    .option('--config <file>', 'read settings from this YAML file')
    .addHelpText('after', notes)
    .action((_flags: unknown, given: Command) => run(given));
}

/** Loaded when wanted: the other commands should not wait for the API's and the bus' code. */
async function run(given: Command): Promise<void> {
  const [{ startCoordinator }, { realParts }, { CoordinatorSettings }] = await Promise.all([
    import('../../coordinator/coordinator.ts'),
    import('../../coordinator/real-parts.ts'),
    import('../../coordinator/settings.ts'),
  ]);
  const founding = settingsOf(FoundingSettings, given);
  const advertise = founding.advertise ?? clusterAddress(founding.stateDir) ?? defaultAdvertiseAddress();
  const settings = { ...settingsOf(CoordinatorSettings, given), advertise };
  await foundCluster(founding.stateDir, { address: advertise, natsPort: founding.natsPort }, systemClock);
  if (founding.natsServer !== undefined) await startNats(founding.stateDir, founding.natsServer);
  await runUntilTold((signal) => startCoordinator(settings, realParts(settings), signal));
}

async function startNats(stateDir: string, natsServer: string): Promise<void> {
  const command = await natsServerCommand(stateDir, { executable: natsServer });
  await supervisedHostOf(stateDir).apply(natsUnit(command, programVersion()));
  await natsServerReady(openCluster(stateDir), systemClock, NATS_TIMEOUT_MS);
}
