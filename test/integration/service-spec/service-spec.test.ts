/**
 * Every flag of `docker service create` and `update` and every field of the Engine API's ServiceSpec works or is refused
 * by name: the tables beside this file say how it is seen, a flag or field without a row fails.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusRecord } from '../../../model/status-record.ts';
import { AgentOnMemoryBus } from '../../support/agent-on-memory-bus.ts';
import { aTaskRecord, type CommandResult, DockerApiServer } from '../../support/docker-api-server.ts';
import { type PrivateEngine, startPrivateEngine } from '../../support/private-engine.ts';
import { createRows } from './create-rows.ts';
import { fieldRows, fieldService, refusedFields, unlabelledService } from './field-rows.ts';
import { InspectedContainer, type Proof, type Row } from './row.ts';
import { before, updateRows } from './update-rows.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const cache = process.env.PLIMSOLL_CACHE_DIR ?? '/var/cache/plimsoll';
const machineCli = 'docker';
/** The newest CLI: scripts/test unpacks it there. */
const newestCli = `${cache}/programs/docker-cli/usr/bin/docker`;

/** A coordinator's API, and an agent on a real engine of today; the test hands the tasks over. */
class ServiceBench {
  private readonly engine: PrivateEngine;
  private readonly agent: AgentOnMemoryBus;
  private api: DockerApiServer;
  private readonly folder: string;
  private readonly containers = new Map<string, Promise<InspectedContainer & { readonly id: string }>>();

  private constructor(engine: PrivateEngine, agent: AgentOnMemoryBus, api: DockerApiServer, folder: string) {
    this.engine = engine;
    this.agent = agent;
    this.api = api;
    this.folder = folder;
  }

  static async start(): Promise<ServiceBench> {
    const engine = await startPrivateEngine({ release: 'modern' });
    await engine.docker('tag', 'plimsoll/test:1', 'plimsoll/test:2');
    await engine.docker('run', '--rm', '-v', 'parts:/v', 'plimsoll/test:1', '/bin/busybox', 'mkdir', '/v/one');
    const agent = await AgentOnMemoryBus.create(engine.address);
    await agent.start();
    const api = await clusterOfOne();
    const folder = await mkdtemp(join(tmpdir(), 'plimsoll-service-spec-'));
    await writeFile(join(folder, 'variables'), 'FROM_FILE=yes\n');
    return new ServiceBench(engine, agent, api, folder);
  }

  async stop(): Promise<void> {
    await this.agent.dispose();
    await this.api.stop();
    await this.engine.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  docker(cli: string, ...args: readonly string[]): Promise<CommandResult> {
    return this.api.docker(
      args.map((word) => word.replace('%dir%', this.folder)),
      cli,
    );
  }

  /** Runs a command that must succeed. */
  async succeed(cli: string, ...args: readonly string[]): Promise<void> {
    const { code, stderr } = await this.docker(cli, ...args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  }

  post(path: string, body: object): Promise<CommandResult> {
    return this.api.post(path, body);
  }

  /** A new cluster on the same node, so that the next services may have the same names and ports. */
  async clear(): Promise<void> {
    this.containers.clear();
    await this.agent.stopTasks();
    await this.api.stop();
    this.api = await clusterOfOne();
  }

  spec(service: string) {
    return this.api.service(service).spec;
  }

  /** The container that the first task of a service has now, made at the first asking. */
  container(service: string): Promise<InspectedContainer & { readonly id: string }> {
    const known = this.containers.get(service) ?? this.run(service);
    this.containers.set(service, known);
    return known;
  }

  async inside(service: string, command: string): Promise<string> {
    const { id } = await this.container(service);
    return this.engine.docker('exec', id, 'sh', '-c', `${command} || true`);
  }

  private async run(service: string): Promise<InspectedContainer & { readonly id: string }> {
    const { nodeId } = this.agent;
    const task = { ...aTaskRecord(this.api.service(service), 1, nodeId), nodeLabels: { zone: 'east' } };
    await this.agent.assign(task);
    const isUp = ({ error, pid }: StatusRecord) => error !== undefined || pid !== undefined;
    const status = await this.agent.statusWhere(task, isUp, `${service} runs`);
    if (status.error !== undefined) throw new Error(`${service}: ${status.error}`);
    const id = status.containerId ?? '';
    const [inspected] = JSON.parse(await this.engine.docker('inspect', id));
    return { ...InspectedContainer.parse(inspected), id };
  }
}

async function clusterOfOne(): Promise<DockerApiServer> {
  const api = await DockerApiServer.start();
  await api.addNode('h1');
  return api;
}

/** What a row is called, and the service it is about. */
const inService = (main: string) => (row: Row) => ({
  ...row,
  name: [row.flag ?? row.fields.join(', '), ...(row.given?.slice(1) ?? [])].join(' '),
  service: row.service ?? main,
});

/** The rows with one kind of proof. */
function provedBy<K extends 'seen' | 'inside' | 'rule'>(kind: K, rows: readonly Row[], main: string) {
  type Proved = ReturnType<ReturnType<typeof inService>> & { proof: Extract<Proof, Record<K, unknown>> };
  return rows.map(inService(main)).filter((row): row is Proved => kind in row.proof);
}

function holds(rows: readonly Row[], bench: () => ServiceBench, main: string): void {
  it.each(provedBy('seen', rows, main))('$name', async ({ service, proof }) => {
    expect(proof.seen(await bench().container(service))).toEqual(proof.is);
  });

  it.each(provedBy('inside', rows, main))('$name', async ({ service, proof }) => {
    expect(await bench().inside(service, proof.inside)).toBe(proof.prints);
  });

  it.each(provedBy('rule', rows, main))('$name', ({ service, proof }) => {
    expect(proof.rule(bench().spec(service))).toEqual(proof.is);
  });
}

/** Is there a test that speaks of it? `file: words`. */
function isElsewhere(place: string): boolean {
  const [file = '', words = ''] = place.split(': ');
  return existsSync(join(root, file)) && readFileSync(join(root, file), 'utf8').includes(words);
}

const isSaid = (service: string | undefined) => (row: Row) =>
  row.service === service && !('refused' in row.proof) && row.given !== undefined;
const flagsOf = (rows: readonly Row[], service?: string) =>
  rows.filter(isSaid(service)).flatMap(({ given = [] }) => given);
const refusals = (rows: readonly Row[]) =>
  rows.flatMap(({ given, proof }) => ('refused' in proof ? [{ given: given ?? [], names: proof.refused }] : []));

async function flagsInHelp(bench: ServiceBench, cli: string, command: string): Promise<string[]> {
  const { stdout } = await bench.docker(cli, 'service', command, '--help');
  const flags = [...stdout.matchAll(/^ {2,6}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = '']) => flag);
  if (!flags.includes('--replicas')) throw new Error(`No help of ${cli} service ${command}: ${stdout}`);
  return flags;
}

describe('the specification of a service', () => {
  let bench: ServiceBench;
  const quietly = ['--detach', '--quiet', '--no-resolve-image'];
  const create = ['service', 'create', ...quietly, '--stop-signal', 'SIGKILL'];

  beforeAll(async () => {
    bench = await ServiceBench.start();
  }, 180_000);
  afterAll(() => bench?.stop());

  describe.each([machineCli, newestCli])('%s service create', (cli) => {
    beforeAll(async () => {
      await bench.succeed(cli, ...create, '--name', 'main', ...flagsOf(createRows), 'plimsoll/test:1', '1000000');
      for (const service of ['unchecked', 'everywhere']) {
        const flags = flagsOf(createRows, service);
        await bench.succeed(cli, ...create, '--name', service, ...flags, 'plimsoll/test:1', 'sleep', '1000000');
      }
    });
    afterAll(() => bench.clear());

    it('has a row for every flag', async () => {
      const known = createRows.map(({ flag }) => flag);
      expect((await flagsInHelp(bench, cli, 'create')).filter((flag) => !known.includes(flag))).toEqual([]);
    });

    holds(createRows, () => bench, 'main');

    it.each(refusals(createRows))('refuses $given', async ({ given, names }) => {
      const answer = await bench.docker(cli, ...create, '--name', 'refused', ...given, 'plimsoll/test:1');
      expect(answer).toMatchObject({ code: 1, stderr: expect.stringContaining(names) });
    });
  });

  describe.each([machineCli, newestCli])('%s service update', (cli) => {
    const update = ['service', 'update', ...quietly];
    const wrap = flagsOf(updateRows, 'wrapped');

    beforeAll(async () => {
      const run = ['plimsoll/test:1', 'sleep', '1000000'];
      await bench.succeed(cli, ...create, '--name', 'main', ...before, ...run);
      await bench.succeed(cli, ...update, ...flagsOf(updateRows), 'main');
      for (const service of ['unchecked', 'wrapped']) await bench.succeed(cli, ...create, '--name', service, ...run);
      await bench.succeed(cli, ...update, ...flagsOf(updateRows, 'unchecked'), 'unchecked');
      await bench.succeed(cli, ...update, ...wrap, '--args', '"sleep 1000000"', 'wrapped');
    });
    afterAll(() => bench.clear());

    it('has a row for every flag', async () => {
      const known = updateRows.map(({ flag }) => flag);
      expect((await flagsInHelp(bench, cli, 'update')).filter((flag) => !known.includes(flag))).toEqual([]);
    });

    holds(updateRows, () => bench, 'main');

    it.each(refusals(updateRows))('refuses $given', async ({ given, names }) => {
      const answer = await bench.docker(cli, ...update, ...given, 'unchecked');
      expect(answer).toMatchObject({ code: 1, stderr: expect.stringContaining(names) });
    });
  });

  it('points at tests that are there', () => {
    const places = [...createRows, ...updateRows].flatMap(({ proof }) =>
      'elsewhere' in proof ? [proof.elsewhere] : [],
    );
    expect(places.filter((place) => !isElsewhere(place))).toEqual([]);
  });

  describe('fields of the Engine API', () => {
    beforeAll(async () => {
      for (const service of [fieldService, unlabelledService]) {
        const { code, stdout } = await bench.post('/v1.51/services/create', service);
        if (code !== 201) throw new Error(stdout);
      }
    });
    afterAll(() => bench.clear());

    it('all have a row', () => {
      const listed = readFileSync(join(root, 'test/fixtures/engine-api/service-spec-1.51.txt'), 'utf8');
      const known = [...createRows, ...updateRows, ...fieldRows, ...refusedFields].flatMap(({ fields }) => fields);
      const paths = listed.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      expect(paths.filter((path) => !known.includes(path))).toEqual([]);
    });

    holds(fieldRows, () => bench, 'fields');

    it.each(refusedFields)('$names is refused', async ({ spec, names }) => {
      const { code, stdout } = await bench.post('/v1.51/services/create', spec);
      expect([400, 501]).toContain(code);
      expect(stdout).toContain(names);
    });
  });
});
