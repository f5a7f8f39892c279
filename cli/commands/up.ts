/** `plim up`: a cluster on this host. */
import type { Command } from 'commander';
import { z } from 'zod';
import { CoordinatorSettings } from '../../coordinator/settings.ts';
import { hostAccesses } from '../../model/host-access.ts';
import { systemClock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import { writeDockerContext } from '../docker-cli.ts';
import { type BringUpOptions, bringUp, localUrl } from '../host/bring-up.ts';
import { defaultAdvertiseAddress } from '../host/default-address.ts';
import { findProgram } from '../host/engine.ts';
import { clusterAddress, DEFAULT_NATS_PORT } from '../host/join-cluster.ts';
import { currentBuild, currentPlim } from '../host/plim-program.ts';
import { isSystemdHost, unitHostOf } from '../host/this-host.ts';
import { requireRoot } from '../require-root.ts';
import {
  AbsolutePath,
  addSocketOption,
  addStateDirOption,
  DEFAULT_DOCKER,
  DEFAULT_SOCKET,
  DEFAULT_STATE_DIR,
  Port,
  Switch,
  settingsOf,
} from '../settings.ts';
import type { Terminal } from '../terminal.ts';
import { DOCKER_CONTEXT } from './context.ts';

const UpSettings = z.object({
  stateDir: AbsolutePath.default(DEFAULT_STATE_DIR),
  socket: AbsolutePath.default(DEFAULT_SOCKET),
  advertise: z.ipv4().optional(),
  docker: z.string().default(DEFAULT_DOCKER),
  natsServer: z.string().default('nats-server'),
  natsPort: Port.default(DEFAULT_NATS_PORT),
  prometheus: z.string().optional(),
  prometheusListen: z.string().default('127.0.0.1:9090'),
  alertmanager: CoordinatorSettings.shape.alertmanager,
  natsMonitoring: CoordinatorSettings.shape.natsMonitoring,
  startEngine: Switch.default(false),
  dockerdArg: z.array(z.string()).default([]),
  context: Switch.default(true),
  allow: CoordinatorSettings.shape.allow,
});
type UpSettings = z.infer<typeof UpSettings>;

const examples = `
Examples:
  plim up
  plim up --advertise 192.0.2.1 --prometheus /usr/bin/prometheus

Run again, it repairs what is not as it should be and leaves the rest alone.`;

export function addUpCommand(program: Command, terminal: Terminal): void {
  const command = program.command('up').description('make this host a cluster: NATS, coordinator, agent, Prometheus');
  addSocketOption(addStateDirOption(command))
    .option('--advertise <address>', "IPv4 address other hosts reach this one at (default: the default route's)")
    .option('--docker <url>', `this host's Docker Engine (default "${DEFAULT_DOCKER}")`)
    .option('--start-engine', 'start containerd and dockerd if no engine answers (without systemd)')
    .option('--dockerd-arg <arg...>', 'further arguments of a dockerd started here')
    .option('--nats-server <program>', 'nats-server 2.10 or newer (default: the one on the PATH)')
    .option('--nats-port <port>', "port of a new cluster's NATS server (default 4222)")
    .option('--prometheus <program>', 'start this Prometheus with our configuration and rules (default: none)')
    .option('--prometheus-listen <address>', 'where Prometheus listens (default "127.0.0.1:9090")')
    .option('--alertmanager <url>', 'Alertmanager that Prometheus sends alerts to, and coordinators ask')
    .option('--nats-monitoring <url>', 'monitoring port of a NATS with queues services scale by')
    .option('--allow <labels>', `let services use plimsoll.{${hostAccesses.join(',')}}: those named, between commas`)
    .option('--no-context', 'make no docker context')
    .option('--config <file>', 'read settings from this YAML file')
    .addHelpText('after', examples)
    .action((_flags: unknown, given: Command) => up(settingsOf(UpSettings, given), terminal));
}

async function up(settings: UpSettings, terminal: Terminal): Promise<void> {
  requireRoot('start a cluster');
  const note = (line: string) => terminal.err(`up: ${line}\n`);
  await bringUp(optionsOf(settings), { units: unitHostOf(settings.stateDir), clock: systemClock, note });
  if (settings.context) await makeContext(settings.socket, note);
  terminal.out(`The cluster is up. Look at it: plim status\nDrive it: docker context use ${DOCKER_CONTEXT}\n`);
}

function optionsOf(settings: UpSettings): BringUpOptions {
  const { stateDir, socket, docker, natsPort, dockerdArg: dockerdArgs } = settings;
  const address = settings.advertise ?? clusterAddress(stateDir) ?? defaultAdvertiseAddress();
  const allow = settings.allow.join(',') || undefined;
  const natsServer = findProgram(settings.natsServer, 'nats-server');
  const prometheus = settings.prometheus && {
    file: findProgram(settings.prometheus, 'prometheus'),
    listen: settings.prometheusListen,
  };
  const urls = {
    prometheusUrl: prometheus ? localUrl(prometheus.listen) : undefined,
    natsMonitoringUrl: settings.natsMonitoring,
    alertmanagerUrl: settings.alertmanager,
  };
  const layout = { program: currentPlim(), build: currentBuild(), stateDir, socket, address, docker, allow, ...urls };
  const startEngine = settings.startEngine && !isSystemdHost();
  return { layout, natsServer, natsPort, startEngine, dockerdArgs, prometheus: prometheus || undefined };
}

/** A convenience: a host without the docker CLI is a cluster all the same. */
async function makeContext(socket: string, note: (line: string) => void): Promise<void> {
  try {
    const change = await writeDockerContext(DOCKER_CONTEXT, socket);
    note(`docker context ${DOCKER_CONTEXT} ${change}`);
  } catch (error) {
    note(`no docker context: ${messageOf(error)}`);
  }
}
