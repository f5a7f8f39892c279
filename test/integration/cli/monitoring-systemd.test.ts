/** `plim monitoring up --native` under a real systemd, with the real programs of Debian's packages. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningCoordinator, startCoordinator } from '../../../coordinator/coordinator.ts';
import { CoordinatorSettings } from '../../../coordinator/settings.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { coordinatorParts } from '../../support/coordinator-parts.ts';
import { eventually } from '../../support/eventually.ts';
import { MemoryServer } from '../../support/memory-bus.ts';
import { builtPlim } from '../../support/plim.ts';
import { installedProgram } from '../../support/prometheus-server.ts';
import { missingForSystemd, SystemdMachine } from '../../support/systemd-machine.ts';

const missing = missingForSystemd();
if (missing !== undefined) console.warn(`Units under systemd are NOT tested: this machine lacks ${missing}`);
const services = ['plimsoll-monitoring-alertmanager.service', 'plimsoll-monitoring-prometheus.service'] as const;
const NOBODY = '65534';

describe.skipIf(missing !== undefined)('plim monitoring up --native under systemd', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-monitoring-systemd-'));
  const socket = join(folder, 'docker.sock');
  const server = new MemoryServer({ clock: systemClock });
  const machine = new SystemdMachine();
  let running: RunningCoordinator;

  beforeAll(async () => {
    await machine.boot();
    const settings = { stateDir: folder, socket, listen: '127.0.0.1', port: 0 };
    running = await startCoordinator(
      CoordinatorSettings.parse(settings),
      coordinatorParts(async () => server.connect('c1')),
    );
  });

  afterAll(async () => {
    await machine.stop();
    await running?.stop();
    rmSync(folder, { recursive: true });
  });

  const command = (...words: string[]) => [process.execPath, builtPlim(), 'monitoring', ...words, '--socket', socket];
  const plim = (...words: string[]) => machine.run(...command(...words));
  const asOrdinaryUser = (...words: string[]) =>
    machine.run('setpriv', '--reuid', NOBODY, '--clear-groups', ...command(...words));
  const programs = Object.entries({
    '--prometheus-program': installedProgram('prometheus', 'prometheus'),
    '--alertmanager-program': installedProgram('prometheus-alertmanager', 'prometheus-alertmanager'),
  }).flat();
  const up = () => plim('up', '--native', ...programs);
  const mainPid = async (service: string) =>
    Number(await machine.run('systemctl', 'show', '--property', 'MainPID', '--value', service));
  const mainPids = () => Promise.all(services.map(mainPid));
  /** What `status` says once it says so. */
  const statusOnce = (pattern: RegExp) => {
    const look = async () => {
      const said = await plim('status');
      if (!pattern.test(said)) throw new Error(said);
      return said;
    };
    return eventually(look, { timeoutMs: 60_000, intervalMs: 200, what: `the status to be ${String(pattern)}` });
  };

  it('runs them as units that are there again after a boot', async () => {
    const said = await up();
    expect(said).toMatch(/prometheus +ready +http:\/\/127\.0\.0\.1:9095\n/);
    expect(said).toMatch(/alertmanager +ready +http:\/\/127\.0\.0\.1:9093\n/);
    expect(await machine.run('systemctl', 'is-enabled', ...services)).toBe('enabled\nenabled\n');
  });

  it('restarts nothing when run again, and removes what an earlier version left', async () => {
    const before = await mainPids();
    const stale = '/var/lib/plimsoll/monitoring/etc/prometheus/plimsoll.old-rules.yml';
    await machine.run('touch', stale);
    await up();
    expect(await mainPids()).toEqual(before);
    await expect(machine.run('ls', stale)).rejects.toThrow(/No such file/);
  });

  it('has systemd start them anew after kill -9', async () => {
    const before = await mainPids();
    await machine.run('kill', '-9', ...before.map(String));
    await statusOnce(/prometheus +ready[^]*alertmanager +ready/);
    for (const pid of await mainPids()) expect(before).not.toContain(pid);
  });

  it('does not take another’s answer for that of a program that is stopped', async () => {
    await machine.run('systemctl', 'stop', services[1]);
    const answer = `require('http').createServer((_, answer) => answer.end()).listen(9095, '127.0.0.1')`;
    const service = ['systemd-run', '--quiet', '--unit=another', '--property=Type=exec'];
    await machine.run(...service, process.execPath, '-e', answer);
    const said = await statusOnce(/prometheus +it does not run/);
    expect(said).toContain('journalctl -u plimsoll-monitoring-prometheus.service');
    await machine.run('systemctl', 'stop', 'another');
    await machine.run('systemctl', 'start', services[1]);
    await statusOnce(/prometheus +ready/);
  });

  it('tells an ordinary user that it needs root', async () => {
    for (const words of [['status'], ['up', '--native', ...programs], ['down', '--native']]) {
      await expect(asOrdinaryUser(...words)).rejects.toThrow(/as an ordinary user: it needs root. Use sudo/);
    }
  });

  it('leaves no unit behind', async () => {
    await plim('down', '--native', '--purge');
    expect(await machine.run('systemctl', 'list-units', '--all', '--no-legend', 'plimsoll-*')).toBe('');
    expect(await machine.run('find', '/etc/systemd/system', '-name', 'plimsoll-*')).toBe('');
    await expect(machine.run('ls', '/var/lib/plimsoll/monitoring')).rejects.toThrow(/No such file/);
  });
});
