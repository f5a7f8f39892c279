/** `plim down` and `plim leave`: taking Plimsoll off a host. */
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { DockerNetworks } from '../../agent/engine/docker-networks.ts';
import { EngineCalls } from '../../agent/engine/engine-calls.ts';
import { runHostCommand } from '../../agent/network/command-runner.ts';
import { createIngressPorts } from '../../agent/network/ingress.ts';
import { OverlayHost } from '../../agent/network/overlay/overlay-host.ts';
import { hostProcFiles } from '../../agent/network/proc-files.ts';
import { Traffic } from '../../agent/network/traffic/traffic.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf } from '../../runtime/errors.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { programVersion } from '../../runtime/version.ts';
import { removeClusterContainers } from './cluster-containers.ts';
import type { UnitHost } from './unit-host.ts';

export interface TakeDownParts {
  readonly units: UnitHost;
  readonly clock: Clock;
  readonly note: (line: string) => void;
}

/** Programs in the order they stop: first who gives orders, last what the others stand on. */
const STOP_ORDER = [
  'monitoring-grafana',
  'monitoring-prometheus',
  'monitoring-alertmanager',
  'prometheus',
  'coordinator',
  'agent',
  'dns',
  'nats',
  'dockerd',
  'containerd',
];

/** Stops these of the host's units that there are, in the right order. */
export async function stopUnits(names: readonly string[], parts: TakeDownParts): Promise<void> {
  const present = await parts.units.names();
  for (const name of STOP_ORDER.filter((each) => names.includes(each) && present.includes(each))) {
    await parts.units.remove(name);
    parts.note(`${name} stopped`);
  }
}

/** Removes the cluster's containers of this host. An engine that does not answer is reported: nothing runs in it. */
export async function clearContainers(dockerUrl: string, clusterId: string, parts: TakeDownParts): Promise<void> {
  try {
    const count = await removeClusterContainers(dockerUrl, clusterId);
    parts.note(`${count} containers removed`);
  } catch (error) {
    parts.note(`containers not removed, the engine at ${dockerUrl} does not answer: ${messageOf(error)}`);
  }
}

/** Takes our nft tables, our Docker rules, our bridges and our kernel switches off the host. */
export async function clearNetwork(dockerUrl: string, clusterId: string, parts: TakeDownParts): Promise<void> {
  const { clock } = parts;
  const host = { run: runHostCommand, files: hostProcFiles };
  const told = { log: createLog('plim', 'warn'), metrics: createMetrics('plim', programVersion()) };
  const networks = new DockerNetworks(new EngineCalls(dockerUrl, clock));
  const note = (error: unknown) => parts.note(`network tables not removed: ${messageOf(error)}`);
  await createIngressPorts({ ...host, ...told, clock })
    .remove()
    .catch(note);
  await new OverlayHost({ ...host, ...told, clusterId, networks }).clear().catch(note);
  await new Traffic({ ...host, ...told, clock }).remove().catch(note);
}

/** Removes files and whole directories; what a killed Docker Engine left mounted below them is unmounted first. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    for (const mount of mountsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), path)) {
      await runHostCommand('umount', ['--lazy', mount]);
    }
    rmSync(path, { recursive: true, force: true });
  }
}

/** Mount points at or below `path`, the deepest first. Pure. */
export function mountsBelow(mountinfo: string, path: string): string[] {
  const points = mountinfo.split('\n').flatMap((line) => line.split(' ')[4] ?? []);
  return points.filter((point) => point === path || point.startsWith(`${path}/`)).reverse();
}

/** Removes a directory that is empty; any other stays. */
export function removeEmptyDirectory(path: string): void {
  if (existsSync(path) && readdirSync(path).length === 0) rmdirSync(path);
}
