/** `plim coordinator`: the cluster's API and head. */
import type { Command } from 'commander';
import { z } from 'zod';
import { openCluster } from '../../bus/identity/cluster.ts';
import { type NatsDiskParts, watchNatsDisk } from '../../bus/server/nats-disk.ts';
import { natsServerCommand, natsServerReady } from '../../bus/server/nats-server.ts';
import { CoordinatorSettings } from '../../coordinator/settings.ts';
import { hostAccesses } from '../../model/host-access.ts';
import { systemClock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { keepHeapCompact } from '../../runtime/heap-growth.ts';
import { programVersion } from '../../runtime/version.ts';
import { defaultAdvertiseAddress } from '../host/default-address.ts';
import { clusterAddress, DEFAULT_NATS_PORT, foundCluster, furtherCluster } from '../host/join-cluster.ts';
import { supervisedHostOf } from '../host/this-host.ts';
import { natsUnit } from '../host/units.ts';
import { type Daemon, runUntilTold } from '../run-daemon.ts';
import { AbsolutePath, addSocketOption, addStateDirOption, DEFAULT_STATE_DIR, Port, settingsOf } from '../settings.ts';

const NATS_TIMEOUT_MS = 20_000;

const FoundingSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  advertise: z.ipv4().optional(),
  clusterFile: AbsolutePath.optional(),
  natsServer: z.string().optional(),
  natsPort: Port.optional(),
});
type FoundingSettings = z.infer<typeof FoundingSettings>;

const notes = `
Creates the cluster if the state directory holds none. With --nats-server it also keeps NATS running, as a process of
its own that outlives the coordinator; without, something else runs "plim nats" or the unit "plim up" makes.

A further coordinator, on another host, takes a copy of the first one's cluster.json and uses its NATS server:
  scp h1:/var/lib/plimsoll/cluster/cluster.json /root/ && chmod 600 /root/cluster.json
  plim coordinator --cluster-file /root/cluster.json
The file holds the cluster's keys: remove it when the coordinator has started, it keeps what it needs.`;

export function addCoordinatorCommand(program: Command): void {
  const command = program
    .command('coordinator')
    .description("serve the cluster's API; the one that leads plans for it");
  addSocketOption(addStateDirOption(command))
    .option('--advertise <address>', "IPv4 address other hosts reach this one at (default: the default route's)")
    .option('--port <port>', 'port of /metrics, /v1/sd and health (default 7700)')
    .option('--cluster-file <file>', 'be a further coordinator of the cluster in this copy of its cluster.json')
    .option('--nats-server <program>', 'keep this nats-server (2.10 or newer) running too')
    .option('--nats-port <port>', "port of a new cluster's NATS server (default 4222)")
    .option('--allow <labels>', `let services use plimsoll.{${hostAccesses.join(',')}}: those named, between commas`)
    .option('--prometheus <url>', 'Prometheus that services with plimsoll.autoscale.query are scaled by')
    .option(
      '--nats-monitoring <url>',
      'monitoring port of a NATS with queues services scale by (plimsoll.autoscale.nats)',
    )
    .option('--alertmanager <url>', 'Alertmanager to ask which alerts fire, beside what it says at /v1/alerts')
    .option('--log-level <level>', 'debug, info, warn, error or silent (default "info")')
    .option('--config <file>', 'read settings from this YAML file')
    .addHelpText('after', notes)
    .action((_flags: unknown, given: Command) => run(given));
}

async function run(command: Command): Promise<void> {
  keepHeapCompact();
  const given = settingsOf(CoordinatorSettings.extend(FoundingSettings.shape), command);
  requireOneRole(given);
  // Loaded when wanted: the other commands should not wait for the API's and the bus' code.
  const [{ startCoordinator }, { realParts }] = await Promise.all([
    import('../../coordinator/coordinator.ts'),
    import('../../coordinator/real-parts.ts'),
  ]);
  const advertise = given.advertise ?? clusterAddress(given.stateDir) ?? defaultAdvertiseAddress();
  await prepareCluster(given, advertise);
  const settings = { ...given, advertise };
  await runUntilTold(async (signal) => {
    const parts = realParts(settings);
    const daemon = await startCoordinator(settings, parts, signal);
    return openCluster(settings.stateDir).servesNats ? withDiskWatch(daemon, { ...parts, ...settings }) : daemon;
  });
}

/** Looks after the disk of the NATS server beside it for as long as the daemon runs. */
function withDiskWatch(daemon: Daemon, parts: NatsDiskParts): Daemon {
  const ending = new AbortController();
  void watchNatsDisk(parts, ending.signal);
  const stop = () => {
    ending.abort();
    return daemon.stop();
  };
  return { ...(daemon.failed === undefined ? {} : { failed: daemon.failed }), stop };
}

/** A further coordinator has no NATS server of its own. */
function requireOneRole({ clusterFile, natsServer, natsPort }: FoundingSettings): void {
  const option = natsServer === undefined ? natsPort && '--nats-port' : '--nats-server';
  if (clusterFile === undefined || !option) return;
  throw new PlimsollError(
    'invalid',
    `Cannot use ${option} with --cluster-file: a further coordinator uses the NATS server the cluster has`,
  );
}

async function prepareCluster(settings: FoundingSettings, advertise: string): Promise<void> {
  const { stateDir, clusterFile, natsServer, natsPort = DEFAULT_NATS_PORT } = settings;
  if (clusterFile === undefined) await foundCluster(stateDir, { address: advertise, natsPort }, systemClock);
  else await furtherCluster(stateDir, clusterFile);
  if (natsServer !== undefined) await startNats(stateDir, natsServer);
}

async function startNats(stateDir: string, natsServer: string): Promise<void> {
  const command = await natsServerCommand(stateDir, { executable: natsServer });
  await supervisedHostOf(stateDir).apply(natsUnit(command, programVersion()));
  await natsServerReady(openCluster(stateDir), systemClock, NATS_TIMEOUT_MS);
}
