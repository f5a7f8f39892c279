/** Units under systemd: `plimsoll-<name>.service` in /etc/systemd/system. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { Unit } from '../supervise/unit.ts';
import type { UnitChange, UnitHost } from './unit-host.ts';

const UNIT_DIRECTORY = '/etc/systemd/system';
const PREFIX = 'plimsoll-';
const run = promisify(execFile);

export class SystemdHost implements UnitHost {
  readonly kind = 'systemd';

  async apply(unit: Unit): Promise<UnitChange> {
    const service = serviceName(unit.name);
    const text = systemdUnitText(unit);
    const { isActive, isEnabled, isLoaded } = await stateOf(service);
    const isRight = readUnit(unit.name) === text && isLoaded && isActive;
    if (!isRight) writeUnit(unit.name, text);
    if (!isRight || !isEnabled) await systemctl('enable', '--quiet', service);
    if (isRight) return 'unchanged';
    await systemctl('daemon-reload');
    await systemctl('restart', service);
    return isActive ? 'restarted' : 'started';
  }

  async remove(name: string): Promise<void> {
    if (!existsSync(unitPath(name))) return;
    const service = serviceName(name);
    await systemctl('disable', '--quiet', '--now', service);
    rmSync(unitPath(name));
    await systemctl('daemon-reload');
    // One that ended with an error stays in "systemctl --failed" without its file.
    if ((await stateOf(service)).hasFailed) await systemctl('reset-failed', service);
  }

  async processId(name: string): Promise<number | undefined> {
    const pid = Number(await systemctl('show', '--property', 'MainPID', '--value', serviceName(name)));
    return pid > 0 ? pid : undefined;
  }

  async names(): Promise<string[]> {
    return readdirSync(UNIT_DIRECTORY)
      .filter((name) => name.startsWith(PREFIX) && name.endsWith('.service'))
      .map((name) => name.slice(PREFIX.length, -'.service'.length))
      .sort();
  }

  logHint(name: string): string {
    return `journalctl -u ${serviceName(name)}`;
  }

  async close(): Promise<void> {}
}

function serviceName(name: string): string {
  return `${PREFIX}${name}.service`;
}

function unitPath(name: string): string {
  return join(UNIT_DIRECTORY, serviceName(name));
}

function readUnit(name: string): string | undefined {
  const path = unitPath(name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Whole or not at all, also across a power cut: the next boot runs what it finds. */
function writeUnit(name: string, text: string): void {
  const partial = `${unitPath(name)}.partial`;
  writeFileSync(partial, text, { flush: true });
  renameSync(partial, unitPath(name));
}

/** The text of a systemd unit file. Pure. */
export function systemdUnitText(unit: Unit): string {
  const after = ['network-online.target', ...unit.after.map(orderedAfter)].join(' ');
  const environment = Object.entries(unit.environment).map(
    ([name, value]) => `Environment=${quote(`${name}=${value}`)}`,
  );
  return [
    '[Unit]',
    `Description=Plimsoll: ${unit.description}`,
    `After=${after}`,
    'Wants=network-online.target',
    // Never give up on a unit that dies often: its back-off is RestartSec.
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    `# build ${unit.build}`,
    // A program that cannot be executed fails "systemctl restart" instead of being tried for ever unseen.
    'Type=exec',
    `ExecStart=${[quote(unit.file), ...unit.args.map(quoteArgument)].join(' ')}`,
    ...environment,
    'Restart=always',
    'RestartSec=200ms',
    // The main process ends its own children. wireguard-go is to outlive its agent, as a device of the kernel would.
    'KillMode=process',
    'TimeoutStopSec=30s',
    'LimitNOFILE=1048576',
    'OOMScoreAdjust=-500',
    `SyslogIdentifier=${PREFIX}${unit.name}`,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

/** The Docker Engine of a host with systemd is its distribution's unit, not one of ours. */
function orderedAfter(name: string): string {
  return name === 'dockerd' ? 'docker.service' : serviceName(name);
}

/** systemd splits at blanks and expands %. */
function quote(word: string): string {
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}

/** In arguments, but neither in the program's path nor in Environment=, systemd expands $ as well. */
function quoteArgument(word: string): string {
  return quote(word).replaceAll('$', '$$$$');
}

interface ServiceState {
  readonly isActive: boolean;
  readonly hasFailed: boolean;
  readonly isEnabled: boolean;
  /** Whether systemd has read the unit file as it is now. */
  readonly isLoaded: boolean;
}

async function stateOf(service: string): Promise<ServiceState> {
  const properties = 'ActiveState,UnitFileState,NeedDaemonReload';
  const lines = (await systemctl('show', '--property', properties, service)).trim().split('\n');
  return {
    isActive: lines.includes('ActiveState=active'),
    hasFailed: lines.includes('ActiveState=failed'),
    isEnabled: lines.includes('UnitFileState=enabled'),
    isLoaded: lines.includes('NeedDaemonReload=no'),
  };
}

/** Answers what it prints. */
async function systemctl(...args: string[]): Promise<string> {
  try {
    return (await run('systemctl', args)).stdout;
  } catch (error) {
    throw new PlimsollError('internal', `systemctl ${args.join(' ')} failed: ${messageOf(error)}`, { cause: error });
  }
}
