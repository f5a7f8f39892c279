/** Units under systemd: `plimsoll-<name>.service` in /etc/systemd/system. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
    const path = unitPath(unit.name);
    const text = systemdUnitText(unit);
    const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    const wasActive = await isActive(unit.name);
    if (before === text && wasActive) return 'unchanged';
    writeFileSync(path, text);
    await systemctl('daemon-reload');
    await systemctl('enable', '--quiet', serviceName(unit.name));
    await systemctl('restart', serviceName(unit.name));
    return wasActive ? 'restarted' : 'started';
  }

  async remove(name: string): Promise<void> {
    if (!existsSync(unitPath(name))) return;
    await systemctl('disable', '--quiet', '--now', serviceName(name));
    rmSync(unitPath(name));
    await systemctl('daemon-reload');
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

/** The text of a systemd unit file. Pure. */
export function systemdUnitText(unit: Unit): string {
  const after = ['network-online.target', 'docker.service', ...unit.after.map(serviceName)].join(' ');
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
    `ExecStart=${[unit.file, ...unit.args].map(quote).join(' ')}`,
    ...environment,
    'Restart=always',
    'RestartSec=200ms',
    'LimitNOFILE=1048576',
    'OOMScoreAdjust=-500',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

/** systemd expands % and $ and splits at blanks. */
function quote(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return `"${escaped}"`;
}

async function isActive(name: string): Promise<boolean> {
  return run('systemctl', ['is-active', '--quiet', serviceName(name)]).then(
    () => true,
    () => false,
  );
}

async function systemctl(...args: string[]): Promise<void> {
  try {
    await run('systemctl', args);
  } catch (error) {
    throw new PlimsollError('internal', `systemctl ${args.join(' ')} failed: ${messageOf(error)}`, { cause: error });
  }
}
