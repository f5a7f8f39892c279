/** `plim monitoring up --native`: Prometheus, Alertmanager and Grafana as programs of a coordinator's host. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { applyUnit } from '../host/bring-up.ts';
import { findProgram, locateProgram } from '../host/engine.ts';
import { removeFiles } from '../host/take-down.ts';
import type { UnitHost } from '../host/unit-host.ts';
import { waitUntil } from '../host/wait-until.ts';
import type { Unit } from '../supervise/unit.ts';
import { readCompose } from './monitoring-compose.ts';
import { programProblem } from './native-health.ts';
import {
  type MonitoringProgram,
  monitoringPrograms,
  type NativeFile,
  type NativeProgram,
  nativeProgram,
  readyUrlOf,
} from './native-programs.ts';

const READY_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 2_000;

/** Programs to run: a file, or a name on the PATH. Those not named are looked for where their packages put them. */
export type ProgramsNamed = Readonly<Record<MonitoringProgram, string | undefined>>;

interface Packaged {
  /** Where its packages put it. */
  readonly places: readonly [string, ...string[]];
  readonly debianPackage: string;
  /** The service of systemd that its package starts. */
  readonly service: string;
}

export const packaged: Readonly<Record<MonitoringProgram, Packaged>> = {
  prometheus: { places: ['prometheus'], debianPackage: 'prometheus', service: 'prometheus' },
  alertmanager: {
    places: ['prometheus-alertmanager', 'alertmanager'],
    debianPackage: 'prometheus-alertmanager',
    service: 'prometheus-alertmanager',
  },
  grafana: {
    places: ['/usr/share/grafana/bin/grafana'],
    debianPackage: 'none, its makers have one',
    service: 'grafana-server',
  },
};

export interface NativeParts {
  readonly units: UnitHost;
  readonly clock: Clock;
  readonly stateDir: string;
  /** One line of progress for people. */
  readonly note: (line: string) => void;
}

/** What of the cluster is needed to start them. */
export interface NativeCluster {
  /** Throws `conflict` while they run elsewhere. */
  readonly claim: () => Promise<void>;
  /** What Alertmanager shows at `/v1/alerts`. */
  readonly alertsToken: () => Promise<string>;
}

export type NativeGrafana =
  /** `passwordPath`: of its user admin; `newPassword` when it was made now. */
  | { readonly passwordPath: string; readonly newPassword: string | undefined }
  /** Why it does not run. */
  | { readonly absence: string };

/** Runs them, or what changed of them; resolves when all answer. Nothing is changed when one is missing or its port taken. */
export async function nativeUp(
  named: ProgramsNamed,
  cluster: NativeCluster,
  parts: NativeParts,
): Promise<NativeGrafana> {
  const compose = readCompose();
  const programs = programsFound(named).map(({ name, file }) => ({
    file,
    program: nativeProgram(compose, name, { file, directory: nativeDirectory(parts.stateDir) }),
  }));
  await refuseTakenPorts(
    programs.map(({ program }) => program),
    parts.units,
  );
  await cluster.claim();
  const token = await cluster.alertsToken();
  const newPassword = programs.flatMap(({ program }) => writeSecrets(program, token) ?? [])[0];
  for (const { file, program } of programs) await bringUpProgram(file, program, parts);
  const grafana = programs.find(({ program }) => program.name === 'grafana')?.program;
  const [passwordPath = ''] = grafana?.secretFiles ?? [];
  return grafana ? { passwordPath, newPassword } : { absence: noGrafana };
}

const noGrafana = `Grafana does not run: there is no ${packaged.grafana.places[0]}. Install its makers' package (Debian has none)
and run this again, or give a Grafana of yours the files of dashboards/json.`;

/** Grafana is optional, as no Debian has it; any other that is missing throws `unavailable`. */
function programsFound(named: ProgramsNamed): { name: MonitoringProgram; file: string }[] {
  return monitoringPrograms.flatMap((name) => {
    const { places, debianPackage } = packaged[name];
    const wanted = named[name] ?? places.find((place) => locateProgram(place) !== undefined);
    if (wanted === undefined && name === 'grafana') return [];
    return [{ name, file: findProgram(wanted ?? places[0], debianPackage) }];
  });
}

/** Stops them. What they stored stays, unless `purge`. */
export async function nativeDown({ units, stateDir, note }: Omit<NativeParts, 'clock'>, purge: boolean): Promise<void> {
  for (const name of await nativeUnits(units)) {
    await units.remove(name);
    note(`${name} stopped`);
  }
  if ((await units.names()).length === 0) await units.close();
  if (purge) await removeFiles([nativeDirectory(stateDir)]);
}

export interface NativeStatus {
  readonly name: MonitoringProgram;
  readonly url: string;
  /** Undefined when it is well. */
  readonly problem: string | undefined;
}

/** Those of this host; none where they were never brought up. */
export async function nativeStatus(units: UnitHost): Promise<NativeStatus[]> {
  const present = await nativeUnits(units);
  const compose = readCompose();
  const shown = monitoringPrograms.filter((name) => present.includes(unitName(name)));
  return Promise.all(
    shown.map(async (name) => {
      const url = readyUrlOf(compose.services[name]);
      return { name, url: new URL(url).origin, problem: await programProblem(units, unitName(name), url) };
    }),
  );
}

export function unitName(name: MonitoringProgram): string {
  return `monitoring-${name}`;
}

function nativeDirectory(stateDir: string): string {
  return join(stateDir, 'monitoring');
}

/** Names of their units on this host. */
export async function nativeUnits(units: Pick<UnitHost, 'names'>): Promise<string[]> {
  const ours = monitoringPrograms.map(unitName);
  return (await units.names()).filter((name) => ours.includes(name));
}

/** Another program's answers must not be taken for ours. */
async function refuseTakenPorts(programs: readonly NativeProgram[], units: UnitHost): Promise<void> {
  const present = await nativeUnits(units);
  for (const { name, readyUrl } of programs.filter((each) => !present.includes(unitName(each.name)))) {
    const { hostname, port } = new URL(readyUrl);
    if (!(await isTaken(hostname, Number(port)))) continue;
    const asPackaged = `${name} as its package starts it: systemctl disable --now ${packaged[name].service}`;
    const advice = `Stop it. It may be the stack (plim monitoring down), or ${asPackaged}`;
    throw new PlimsollError(
      'conflict',
      `Cannot start ${name}: another program listens at ${hostname}:${port}. ${advice}`,
    );
  }
}

function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy());
    socket.once('connect', () => socket.destroy() && resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

/** Alertmanager reads the token anew with each message, so one rotated meanwhile is taken. Answers a password made now. */
function writeSecrets({ name, secretFiles }: NativeProgram, token: string): string | undefined {
  const [path] = secretFiles;
  if (path === undefined) return undefined;
  if (name === 'alertmanager') writePrivate({ path, text: token });
  if (name !== 'grafana' || existsSync(path)) return undefined;
  const password = randomBytes(12).toString('hex');
  writePrivate({ path, text: password });
  return password;
}

function writePrivate({ path, text }: NativeFile): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { mode: 0o600 });
}

async function bringUpProgram(file: string, program: NativeProgram, parts: NativeParts): Promise<void> {
  for (const path of program.dataDirectories) mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const configuration of program.configurations) writePrivate(configuration);
  for (const path of staleFiles(program)) rmSync(path);
  const unit = unitOf(file, program);
  await applyUnit(unit, parts);
  await waitUntil(parts.clock, {
    what: `${program.name} at ${new URL(program.readyUrl).host}`,
    timeoutMs: READY_TIMEOUT_MS,
    logHint: parts.units.logHint(unit.name),
    problem: () => programProblem(parts.units, unit.name, program.readyUrl),
  });
}

/** What an earlier version wrote beside them and this one does not: Grafana would show a dashboard that is no more. */
function staleFiles({ configurations, secretFiles }: NativeProgram): string[] {
  const ours = new Set([...configurations.map(({ path }) => path), ...secretFiles]);
  const directories = new Set(configurations.map(({ path }) => dirname(path)));
  return [...directories]
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name)))
    .filter((path) => basename(path).startsWith('plimsoll') && !ours.has(path));
}

/** Each reads its configuration at its start only: the unit changes with it. */
function unitOf(file: string, { name, args, environment, configurations }: NativeProgram): Unit {
  const hash = createHash('sha256');
  for (const { path } of configurations) hash.update(readFileSync(path));
  return {
    name: unitName(name),
    description: `${name} of plim monitoring`,
    file,
    args: [...args],
    environment: { ...environment },
    after: ['coordinator'],
    staleFiles: [],
    build: hash.digest('hex').slice(0, 12),
  };
}
