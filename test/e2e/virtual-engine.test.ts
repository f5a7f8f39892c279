/** One virtual engine over real hosts: containers, images and sessions of other nodes, and what happens when those die. */
import { spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, linesOf, type ShownTask, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

/** A node is lost within 4 s, its agent missed within 5 s, silence noticed after 16 s: no client waits much longer. */
const BOUNDED_MS = 30_000;

/** Programs that do not hear SIGTERM should not hold the tests up. */
const briefly = ['--stop-grace-period', '200ms'];

describe('one virtual engine', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await sharedCluster();
  });
  afterEach(() => cluster.clear());
  afterAll(() => cluster.clear());

  const containerOf = ({ name, id }: ShownTask): string => `${name}.${id}`;

  /** A running docker command that is not expected to end by itself. */
  function session(...args: string[]) {
    const env = { ...process.env, DOCKER_HOST: `unix://${cluster.lab.clusterSocket}`, DOCKER_CONFIG: '/nonexistent' };
    const child = spawn('docker', args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const seen = { text: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        seen.text += bytes;
      });
    }
    const ended = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)));
    return { child, seen, ended };
  }

  it('reaches the containers of every host', async () => {
    await cluster.create('web', '--replicas', '3', ...briefly, 'plimsoll/sleep:1');
    const tasks = await cluster.settled('web', 3);

    for (const task of tasks) {
      const { code, stdout } = await cluster.try('exec', containerOf(task), 'sh', '-c', 'hostname; exit 9');
      const id = await cluster.docker('inspect', '-f', '{{.Id}}', containerOf(task));
      expect({ code, hostname: stdout.trim() }).toEqual({ code: 9, hostname: id.slice(0, 12) });
    }
    const listed = linesOf(await cluster.docker('images', '--format', '{{.Repository}}:{{.Tag}}'));
    expect(listed).toContain('plimsoll/sleep:1');
    expect(listed).toEqual([...new Set(listed)]);
  });

  it('a task’s container that is restarted, stopped or removed is followed by the next attempt', async () => {
    await cluster.create('web', ...briefly, 'plimsoll/sleep:1');
    const [first] = await cluster.settled('web', 1);
    let last = first;
    for (const words of [
      ['restart', '-t', '0'],
      ['stop', '-t', '0'],
      ['rm', '-f'],
    ]) {
      const before = last;
      if (before === undefined) throw new Error('web has no task');
      await cluster.docker(...words, containerOf(before));
      [last] = await eventually(
        async () => {
          const tasks = await cluster.running('web');
          return tasks.length === 1 && tasks[0]?.id !== before.id ? tasks : undefined;
        },
        { timeoutMs: BOUNDED_MS, what: `web to run again after docker ${words.join(' ')}` },
      );
      expect(last?.node).toBe(first?.node);
    }
  });

  describe.each([
    ['a killed agent', 'kill', 'agent:h3', 'start', 'agent:h3'],
    ['a host that is cut off', 'cut', 'h3', 'heal', 'h3'],
  ])('%s', (_what, fault, target, cure, curedTarget) => {
    afterEach(async () => {
      await cluster.lab.command(cure, curedTarget);
      await cluster.whole();
    }, BOUNDED_MS * 2);

    it(
      'ends the sessions with its containers with a sentence',
      async () => {
        await cluster.create('web', '--constraint', 'node.hostname==h3', ...briefly, 'plimsoll/sleep:1');
        const [task] = await cluster.settled('web', 1);
        if (task === undefined) throw new Error('web has no task');
        const running = session('exec', containerOf(task), 'sh', '-c', 'echo begun; sleep 1000');
        const followed = session('logs', '-f', containerOf(task));
        await eventually(() => running.seen.text.includes('begun'), { what: 'the exec to have begun' });

        await cluster.lab.command(fault, target);
        const codes = await Promise.all([running.ended, followed.ended]);

        expect(codes).not.toContain(0);
        expect(running.seen.text).toMatch(/node h3 is down|on node h3: the source of the stream is (silent|gone)/);
        const next = await cluster.try('exec', containerOf(task), 'true');
        expect(next.code).not.toBe(0);
      },
      BOUNDED_MS * 2,
    );
  });

  describe('images without a registry', () => {
    const image = 'only/here:1';
    afterEach(async () => {
      await cluster.clear();
      for (const { name } of cluster.lab.hosts) await cluster.engine(name, 'rmi', '-f', image).catch(() => '');
    });

    const make = async (host: string) => {
      const id = await cluster.engine(host, 'run', '-d', 'plimsoll/sleep:1', 'sh', '-c', `echo ${host} > /made-on`);
      await cluster.engine(host, 'wait', id);
      await cluster.engine(host, 'commit', '-c', 'CMD ["sleep", "1000"]', id, image);
      await cluster.engine(host, 'rm', id);
    };

    it('an image that only one host has runs on every host', async () => {
      const host = 'h3';
      await make(host);
      await cluster.create('made', '--replicas', '3', '--replicas-max-per-node', '1', ...briefly, image);
      const tasks = await cluster.settled('made', 3);

      const madeOn = tasks.map((task) => cluster.docker('exec', containerOf(task), 'cat', '/made-on'));
      expect(await Promise.all(madeOn)).toEqual([host, host, host]);
    });

    it('an image loaded once, into the cluster, runs on every host', async () => {
      await make('h2');
      const archive = `${cluster.host('h2').engineSocket}.archive.tar`;
      await cluster.engine('h2', 'save', '-o', archive, image);
      await cluster.engine('h2', 'rmi', image);

      expect(await cluster.docker('load', '-i', archive)).toContain(`Loaded image: ${image}`);
      await cluster.create('loaded', '--replicas', '3', '--replicas-max-per-node', '1', ...briefly, image);

      expect((await cluster.settled('loaded', 3)).map(({ node }) => node).toSorted()).toEqual(['h1', 'h2', 'h3']);
    });
  });
});
