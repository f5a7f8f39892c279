import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isAlive, signalProcess } from '../../cli/supervise/process-table.ts';
import { UnitDirectory, type UnitProcess } from '../../cli/supervise/unit.ts';
import { ClusterStatus } from '../../model/native-api.ts';
import { packageRoot } from '../../runtime/version.ts';
import { eventually } from '../support/eventually.ts';
import { shell } from '../support/network-namespace.ts';
import { builtPlim } from '../support/plim.ts';

const run = promisify(execFile);
const namespace = 'plimsoll-up';
const address = '10.98.6.1';
const units = ['agent', 'containerd', 'coordinator', 'dns', 'dockerd', 'nats', 'prometheus'];

/**
 * The main job, scripts/up, on a host of its own: a network namespace without Docker Engine or NATS. The directory is
 * short because sockets below it may not be longer than 108 characters.
 */
describe('scripts/up and scripts/down', () => {
  const folder = mkdtempSync('/tmp/plim-up-');
  const stateDir = join(folder, 'state');
  const socket = join(folder, 'run', 'docker.sock');
  const engineSocket = join(folder, 'engine.sock');
  const env = {
    ...process.env,
    PLIMSOLL_STATE_DIR: stateDir,
    PLIMSOLL_SOCKET: socket,
    PLIMSOLL_DOCKER: `unix://${engineSocket}`,
    PLIMSOLL_BIN_DIR: join(folder, 'bin'),
    DOCKER_CONFIG: join(folder, 'docker-config'),
  };
  const directory = new UnitDirectory(stateDir);

  async function onHost(program: string, ...args: string[]): Promise<string> {
    const { stdout } = await run('nsenter', [`--net=/run/netns/${namespace}`, program, ...args], { env });
    return stdout;
  }
  const script = (name: string, ...args: string[]) => onHost(join(packageRoot(), 'scripts', name), ...args);
  const plim = (...args: string[]) => onHost(process.execPath, builtPlim(), ...args);
  const docker = (...args: string[]) => onHost('docker', '--host', `unix://${socket}`, ...args);
  const pageOf = (url: string) => onHost('curl', '-fsS', '--max-time', '5', url);
  const engineContainers = () => onHost('docker', '--host', `unix://${engineSocket}`, 'ps', '--quiet', '--no-trunc');

  function processOf(name: string): UnitProcess {
    const process = directory.process(name);
    if (!process || !isAlive(process)) throw new Error(`${name} does not run`);
    return process;
  }
  const processIds = () => units.map((name) => processOf(name).pid);

  beforeAll(async () => {
    await shell(`
      ip netns add ${namespace}
      ip -n ${namespace} link set lo up
      ip -n ${namespace} link add uplink type bridge
      ip -n ${namespace} address add ${address}/24 dev uplink
      ip -n ${namespace} link set uplink up
      ip -n ${namespace} route add default via 10.98.6.254`);
    await script('up');
  });

  afterAll(async () => {
    if (existsSync(stateDir)) await script('down', '--purge').catch(() => undefined);
    await shell(`ip netns delete ${namespace}`);
    rmSync(folder, { recursive: true, force: true });
  });

  it('serves the example service, each part a process of its own', async () => {
    expect(directory.names()).toEqual(units);
    expect(JSON.parse(await pageOf('http://localhost:8080/'))).toMatchObject({ service: 'hello', version: '1' });
  });

  it('makes a cluster that the docker CLI drives by its context', async () => {
    expect(
      await onHost('docker', '--context', 'plimsoll', 'service', 'ls', '--format', '{{.Name}} {{.Replicas}}'),
    ).toBe('hello 2/2\n');
  });

  it('shows everything as healthy in plim status', async () => {
    const status = ClusterStatus.parse(JSON.parse(await plim('status', '--format', 'json')));

    expect(status.nodes).toMatchObject([{ state: 'ready', address, leader: true, manager: true }]);
    expect(status.services).toMatchObject([{ name: 'hello', desired: 2, ready: 2, problem: '' }]);
  });

  it('has Prometheus scrape agent, coordinator and labelled tasks', async () => {
    const Targets = z.object({
      data: z.object({
        activeTargets: z.array(z.object({ labels: z.record(z.string(), z.string()), health: z.string() })),
      }),
    });
    const up = async () => {
      const { data } = Targets.parse(JSON.parse(await pageOf('http://localhost:9090/api/v1/targets')));
      return data.activeTargets.filter((target) => target.health === 'up').map((target) => target.labels.job);
    };

    await eventually(async () => (await up()).length === 4, { timeoutMs: 60_000, what: 'four targets up' });

    expect((await up()).sort()).toEqual(['hello', 'hello', 'plimsoll-agent', 'plimsoll-coordinator']);
  });

  it('lets services scale by what that Prometheus answers', async () => {
    const replicasBecome = (shown: string) =>
      eventually(async () => (await docker('service', 'ls', '--format', '{{.Replicas}}')) === `${shown}\n`, {
        timeoutMs: 60_000,
        intervalMs: 250,
        what: `hello at ${shown}`,
      });

    await plim('autoscale', 'set', 'hello', 'max=5', 'query=3 * sum(up{job="plimsoll-coordinator"})', 'target=1');
    await replicasBecome('3/3');
    expect(await plim('why', 'hello')).toMatch(/scaled to 3: the query answers 3, the target is 1 a replica/);

    await plim('autoscale', 'set', 'hello', '--off');
    await replicasBecome('2/2');
    // The one too many is no replica any more while it stops.
    const linesOf = (text: string) => text.trim().split('\n');
    await eventually(async () => linesOf(await engineContainers()).length === 2, {
      timeoutMs: 60_000,
      what: 'the third container gone',
    });
  });

  it('changes nothing when run again', async () => {
    const before = { processes: processIds(), containers: await engineContainers() };

    await script('up');

    expect({ processes: processIds(), containers: await engineContainers() }).toEqual(before);
  });

  it('recovers from kill -9 of every process, and no container stops', async () => {
    const containers = await engineContainers();
    const before = [...units.map((name) => processOf(name)), directory.supervisor()];

    for (const process of before) if (process) signalProcess(process, 'SIGKILL');
    await script('up');

    expect(await engineContainers()).toBe(containers);
    await eventually(async () => (await docker('service', 'ls', '--format', '{{.Replicas}}')) === '2/2\n', {
      timeoutMs: 60_000,
      what: 'hello at 2/2 again',
    });
    expect(await engineContainers()).toBe(containers);
  });

  it('leaves no process, table, rule, socket or file behind after scripts/down --purge', async () => {
    await script('down', '--purge');

    expect(processesNaming(folder)).toEqual([]);
    expect(await onHost('nft', 'list', 'tables')).not.toContain('plimsoll');
    expect(await onHost('iptables', '-S')).not.toContain('plimsoll');
    expect(await onHost('docker', 'context', 'ls', '--quiet')).not.toContain('plimsoll');
    expect(readdirSync(folder).sort()).toEqual(['bin', 'docker-config']);
    expect(readdirSync(join(folder, 'bin'))).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(folder);
  });
});

/** Command lines of running processes that name the folder. */
function processesNaming(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandLineOf(pid))
    .filter((line) => line.includes(folder));
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
