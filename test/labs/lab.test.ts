/** The lab itself: its hosts are real, its faults are what they claim, and it leaves nothing behind. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../support/eventually.ts';
import { type Lab, labCommand, labUp } from '../support/lab.ts';

const LabStatus = z.object({
  hosts: z.array(
    z.object({
      name: z.string(),
      power: z.string(),
      cable: z.string(),
      processes: z.object({ engine: z.string() }),
      dockerVersion: z.string(),
      runningContainers: z.number(),
    }),
  ),
});

// A lab of its own, beside the one that a person may have up.
const labName = 'labtest';
const labDir = `/var/lib/plimsoll-${labName}`;

async function hostStatus(name: string) {
  const status = LabStatus.parse(JSON.parse(await labCommand('status', '--format', 'json')));
  const host = status.hosts.find((candidate) => candidate.name === name);
  if (host === undefined) throw new Error(`No host '${name}' in the lab's status`);
  return host;
}

const onHost = async (host: string, ...words: string[]) => (await labCommand('exec', host, '--', ...words)).trim();

const startSleeper = (host: string, name: string) =>
  onHost(host, 'docker', 'run', '--detach', '--restart=always', '--name', name, 'plimsoll/sleep:1');

const processIdOf = (host: string, container: string) =>
  onHost(host, 'docker', 'inspect', '--format', '{{.State.Pid}}', container);

async function canReach(from: string, address: string): Promise<boolean> {
  return onHost(from, 'busybox', 'ping', '-c', '1', '-W', '1', address).then(
    () => true,
    () => false,
  );
}

describe('scripts/lab', () => {
  let lab: Lab;

  beforeAll(async () => {
    process.env['LAB_NAME'] = labName;
    process.env['LAB_SUBNET'] = '10.99.9';
    process.env['LAB_DIR'] = labDir;
    lab = await labUp({ engine: 'none', hosts: 2, modern: 1 });
  });

  afterAll(() => labCommand('down'));

  it('gives each host its own name, address and engine, the last one a newer engine', async () => {
    expect(lab.hosts.map((host) => host.address)).toEqual(['10.99.9.1', '10.99.9.2']);
    expect(await onHost('h2', 'hostname')).toBe('h2');
    expect(await canReach('h1', '10.99.9.2')).toBe(true);
    expect(Number.parseInt((await hostStatus('h2')).dockerVersion, 10)).toBeGreaterThanOrEqual(28);
  });

  it('has the example images on every host', async () => {
    for (const host of lab.hosts) {
      const images = await onHost(host.name, 'docker', 'images', '--format', '{{.Repository}}:{{.Tag}}');
      expect(images.split('\n').toSorted()).toEqual(['plimsoll/hello:1', 'plimsoll/hello:2', 'plimsoll/sleep:1']);
    }
  });

  it('cuts a host off and heals it', async () => {
    await lab.command('cut', 'h2');
    expect(await canReach('h1', '10.99.9.2')).toBe(false);
    expect(await hostStatus('h2')).toMatchObject({ power: 'on', cable: 'cut', processes: { engine: 'running' } });

    await lab.command('heal', 'h2');
    await eventually(() => canReach('h1', '10.99.9.2'), { what: 'h2 to be reachable again' });
  });

  it('keeps containers running while the engine is frozen, killed and started again', async () => {
    await startSleeper('h1', 'kept');
    const processId = await processIdOf('h1', 'kept');

    await lab.command('freeze', 'engine:h1');
    expect((await hostStatus('h1')).processes.engine).toBe('frozen');
    await lab.command('thaw', 'engine:h1');
    await lab.command('kill', 'engine:h1');
    expect((await hostStatus('h1')).processes.engine).toBe('dead');
    await lab.command('start', 'engine:h1');

    expect(await processIdOf('h1', 'kept')).toBe(processId);
  });

  it('freezes a whole host, and for no longer than asked', async () => {
    await startSleeper('h1', 'frozen');
    const processId = await processIdOf('h1', 'frozen');
    const processState = () => /^State:\s*(\w)/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1];

    await lab.command('freeze', 'h1');
    expect((await hostStatus('h1')).processes.engine).toBe('frozen');
    expect(processState()).toBe('T');
    await lab.command('thaw', 'h1');
    expect((await hostStatus('h1')).processes.engine).toBe('running');
    await lab.command('freeze', 'engine:h1', '--for', '0.1');
    await lab.command('cut', 'h1', '--for', '0.1');

    expect(await hostStatus('h1')).toMatchObject({ cable: 'up', processes: { engine: 'running' } });
    expect(processState()).toBe('S');
  });

  it('restarts an engine politely, and reboots a host', async () => {
    await startSleeper('h1', 'rebooted');
    const processId = await processIdOf('h1', 'rebooted');

    await lab.command('restart', 'engine:h1');
    expect(await processIdOf('h1', 'rebooted')).toBe(processId);

    await lab.command('restart', 'h1');
    await eventually(async () => Number(await processIdOf('h1', 'rebooted')) > 0, {
      what: 'the container to run again',
    });
    expect(await processIdOf('h1', 'rebooted')).not.toBe(processId);
  });

  it('crashes a host with its containers and revives it with its disk', async () => {
    await startSleeper('h2', 'reborn');
    const processId = await processIdOf('h2', 'reborn');

    await lab.command('crash', 'h2');
    expect(await hostStatus('h2')).toMatchObject({ power: 'crashed', cable: 'none', processes: { engine: 'dead' } });
    await expect(onHost('h2', 'true')).rejects.toThrow(/crashed/);
    expect(await canReach('h1', '10.99.9.2')).toBe(false);

    await lab.command('revive', 'h2');
    await eventually(async () => (await hostStatus('h2')).runningContainers === 1, {
      what: 'the container to run again',
    });
    expect(await processIdOf('h2', 'reborn')).not.toBe(processId);
    expect(await canReach('h1', '10.99.9.2')).toBe(true);
  });

  it('refuses by name what it does not know', async () => {
    await expect(labCommand('cut', 'h9')).rejects.toThrow(/No host 'h9' in this lab/);
    await expect(labCommand('freeze', 'disk:h1')).rejects.toThrow(/Cannot freeze 'disk:h1'/);
    await expect(labCommand('kill', 'h1')).rejects.toThrow(/Cannot kill 'h1': a whole host can be frozen/);
    await expect(labCommand('cut', 'h1', '--for', 'long')).rejects.toThrow(/Cannot read '--for long'/);
    await expect(labCommand('up', '--engine', 'none', '--hosts', '5')).rejects.toThrow(/different lab/);
  });

  it('leaves no mount, network, control group, process or file behind', async () => {
    await lab.command('down');

    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(labDir);
    expect(readdirSync('/sys/class/net').filter((name) => name.includes(labName))).toEqual([]);
    expect(readdirSync('/run/netns').filter((name) => name.startsWith(labName))).toEqual([]);
    expect(readdirSync('/var/lib')).not.toContain(`plimsoll-${labName}`);
    expect(cgroupsNamed(labName)).toEqual([]);
    expect(commandLines().filter((line) => line.includes(labDir))).toEqual([]);
  });
});

function cgroupsNamed(name: string): string[] {
  const hierarchies = readdirSync('/sys/fs/cgroup', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return hierarchies
    .flatMap((entry) => [`/sys/fs/cgroup/${entry.name}`, ...childDirectories(`/sys/fs/cgroup/${entry.name}`)])
    .filter((path) => path.endsWith(`/${name}`));
}

function childDirectories(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${path}/${entry.name}`);
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((processId) => {
      try {
        return readFileSync(`/proc/${processId}/cmdline`, 'utf8');
      } catch {
        return ''; // ended meanwhile
      }
    });
}
