import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Subscription } from '../../../bus/bus.ts';
import { StatsRequest } from '../../../model/messages.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { DockerApiServer, nodeIdOf } from '../../support/docker-api-server.ts';
import { eventually } from '../../support/eventually.ts';

const cache = process.env.PLIMSOLL_CACHE_DIR ?? '/var/cache/plimsoll';
/** The machine's own CLI, and the newest one: scripts/test unpacks it there. */
const clients = ['docker', `${cache}/programs/docker-cli/usr/bin/docker`];
const GIB = 2 ** 30;

interface ScriptedContainer {
  readonly id: string;
  readonly name: string;
  /** Share of one core, as it shall be shown. */
  readonly cpuPercent: number;
}

const web: ScriptedContainer = { id: 'c0ffee'.padEnd(64, '0'), name: 'web.1.x', cpuPercent: 50 };
const database: ScriptedContainer = { id: 'decaf0'.padEnd(64, '0'), name: 'database', cpuPercent: 0 };

/** The engine's own words for a container that used so much of a core in the last second of a machine with two. */
function statsOf({ id, name, cpuPercent }: ScriptedContainer): Uint8Array {
  const used = cpuPercent * 1e7;
  const cpu = (total: number, system: number) => ({
    cpu_usage: { total_usage: total, percpu_usage: [total, 0] },
    system_cpu_usage: system,
    online_cpus: 2,
  });
  const stats = {
    id,
    name: `/${name}`,
    read: '2026-11-23T00:00:01Z',
    preread: '2026-11-23T00:00:00Z',
    cpu_stats: cpu(1e9 + used, 12e9),
    precpu_stats: cpu(1e9, 10e9),
    memory_stats: { usage: GIB / 2 + 4096, limit: GIB, stats: { inactive_file: 4096, total_inactive_file: 4096 } },
    networks: { eth0: { rx_bytes: 1_000, tx_bytes: 2_000 } },
    pids_stats: { current: 3 },
  };
  return Buffer.from(`${JSON.stringify(stats)}\n`);
}

describe('the usage of containers', () => {
  let cluster: DockerApiServer;
  let answers: Subscription[];
  let asked: StatsRequest[];
  /** Names of containers whose stream has ended at its node. */
  let ended: string[];
  /** What nodes answer instead of one object and silence. */
  let script: (() => AsyncIterable<Uint8Array>) | undefined;

  beforeEach(async () => {
    cluster = await DockerApiServer.start();
    answers = [];
    asked = [];
    ended = [];
    script = undefined;
    await cluster.addNode('h1');
    await cluster.addNode('h2', { address: '10.99.0.2' });
    runOn('h1', web);
    runOn('h2', database);
  });

  afterEach(async () => {
    for (const answer of answers) answer.stop();
    await cluster.stop();
  });

  /** Plays the agent of a node with one container. */
  function runOn(host: string, container: ScriptedContainer): void {
    const { bus } = cluster.connection;
    const { id, name } = container;
    const isIt = (reference: string) => id.startsWith(reference) || name === reference;
    const listed = { Id: id, Names: [`/${name}`], Image: 'a:1', State: 'running', Created: 1, Labels: {} };
    answers.push(
      bus.answer(nodeIdOf(host), 'containers', z.unknown(), async () => ({ containers: [listed] })),
      bus.answer(nodeIdOf(host), 'inspect', z.object({ id: z.string() }), async (wanted) => {
        if (isIt(wanted.id)) return { container: { Id: id } };
        throw new PlimsollError('not-found', `No such container: ${wanted.id}`);
      }),
      bus.answerStream(nodeIdOf(host), 'stats', StatsRequest, (wanted, signal) => {
        asked.push(wanted);
        return script?.() ?? play(container, wanted, signal);
      }),
    );
  }

  async function* play(container: ScriptedContainer, { stream }: StatsRequest, signal: AbortSignal) {
    yield statsOf(container);
    if (stream) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    ended.push(container.name);
  }

  describe.each(clients)('%s stats', (cli) => {
    const format = '{{.ID}} {{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.NetIO}} {{.PIDs}}';
    const docker = (...args: string[]) => cluster.docker(args, cli);
    const webRow = 'c0ffee000000 web.1.x 50.00% 512MiB / 1GiB 50.00% 1kB / 2kB 3';
    const databaseRow = 'decaf0000000 database 0.00% 512MiB / 1GiB 50.00% 1kB / 2kB 3';

    it('shows the containers of every node', async () => {
      const { code, stdout } = await docker('stats', '--no-stream', '--format', format);

      expect(code).toBe(0);
      expect(stdout.trimEnd().split('\n').sort()).toEqual([webRow, databaseRow]);
    });

    it('shows the containers named, by name and by id', async () => {
      const { stdout } = await docker('stats', '--no-stream', '--format', format, 'web.1.x', 'decaf0');

      expect(stdout.trimEnd().split('\n').sort()).toEqual([webRow, databaseRow]);
    });

    it('says that there is no such container', async () => {
      const { stderr } = await docker('stats', '--no-stream', 'nobody');

      expect(stderr).toContain('No such container: nobody');
    });
  });

  describe('the request itself', () => {
    /** Answers the status and the body so far; the connection stays open until it is closed. */
    function open(path: string) {
      const seen = { status: 0, text: '', ended: false };
      const asking = request({ socketPath: cluster.socketPath, path }, (response) => {
        seen.status = response.statusCode ?? 0;
        response.setEncoding('utf8').on('data', (text: string) => {
          seen.text += text;
        });
        response.on('end', () => {
          seen.ended = true;
        });
      });
      asking.on('error', () => undefined).end();
      return { seen, close: () => asking.destroy() };
    }

    it.each([
      ['', { stream: true, oneShot: false }],
      ['?stream=false', { stream: false, oneShot: false }],
      ['?stream=0&one-shot=1', { stream: false, oneShot: true }],
    ])('asks the node for what %j means', async (query, wanted) => {
      const { close } = open(`/containers/database/stats${query}`);
      await eventually(() => asked.length > 0);
      close();

      expect(asked).toEqual([{ ...wanted, id: 'database' }]);
    });

    it('refuses what cannot be both', async () => {
      const { seen } = open('/containers/database/stats?stream=1&one-shot=1');
      await eventually(() => seen.ended);

      expect(seen).toMatchObject({ status: 400, text: expect.stringContaining('stream=true and one-shot=true') });
    });

    it('ends at the node when the client leaves', async () => {
      const { seen, close } = open('/containers/database/stats');
      await eventually(() => seen.text !== '');
      close();

      await eventually(() => ended.length === 1);
    });

    it('lets a client that does not read wait, and keeps nothing for it', async () => {
      let sent = 0;
      script = async function* () {
        for (; sent < 10_000; sent += 1) yield Buffer.alloc(64 * 1024);
      };
      const asking = request({ socketPath: cluster.socketPath, path: '/containers/database/stats' }, (response) => {
        response.pause();
      });
      asking.on('error', () => undefined).end();
      let before = 0;
      const isStuck = () => {
        const isSame = sent > 0 && sent === before;
        before = sent;
        return isSame;
      };
      await eventually(isStuck, { intervalMs: 300, what: 'the node to be held back' });
      asking.destroy();

      expect(sent * 64).toBeLessThan(4_096);
    });

    it('ends for the client when the node is lost', async () => {
      const { seen } = open('/containers/database/stats');
      await eventually(() => seen.text !== '');
      cluster.setNodeState('h2', 'lost');
      await eventually(() => seen.ended);

      expect(JSON.parse(seen.text)).toMatchObject({ id: database.id });
    });

    it('does not ask a node that is lost', async () => {
      cluster.setNodeState('h2', 'lost');
      const { seen } = open('/containers/database/stats');
      await eventually(() => seen.ended);

      expect(seen.status).toBe(404);
    });
  });
});
