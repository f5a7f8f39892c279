/** Every command and file of a typical introduction to Swarm, with the docker CLI, as a reader would type them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../runtime/version.ts';
import { type Cluster, linesOf, type ShownTask, sharedCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const stackFile = (name: string) => join(packageRoot(), 'test', 'fixtures', 'stacks', name);
const patiently = { timeoutMs: 90_000, intervalMs: 1_000 };
/** Two versions of an image that is light enough to be there six times. */
const [before, after] = ['plimsoll/sleep:1', 'plimsoll/sleep:2'];
const SECOND_NS = 1e9;

/** Asks for the page of a service by its name; prints which service answered, or why none did. */
const askProgram = `
  fetch('http://' + process.argv[1] + '/', { signal: AbortSignal.timeout(30_000) })
    .then((answer) => answer.json())
    .then(({ service }) => console.log(service), (error) => console.log(error.cause?.code ?? error.name));`;

// Most of it is waiting for the delays the introduction asks for: its chapters go on beside each other.
describe.concurrent('a typical introduction to Swarm', () => {
  let cluster: Cluster;
  let folder = '';

  beforeAll(async () => {
    cluster = await sharedCluster();
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-introduction-'));
    for (const { name } of cluster.lab.hosts) await cluster.engine(name, 'tag', before, after);
  });

  afterAll(async () => {
    await cluster.clear();
    await cluster.try('network', 'rm', 'shop_frontend', 'shop_backend', 'checked_default');
    await cluster.try('secret', 'rm', 'db_password');
    for (const { name } of cluster.lab.hosts) {
      await cluster.engine(name, 'volume', 'rm', '--force', 'shop_db_data');
      await cluster.engine(name, 'rmi', after);
    }
    rmSync(folder, { recursive: true });
  });

  it('a service: create, look at, scale, update, remove', async () => {
    const image = 'plimsoll/hello:1';
    const created = await cluster.try(
      'service',
      'create',
      '--name',
      'web',
      '--replicas',
      '3',
      '--publish',
      '80:80',
      image,
    );
    expect(created).toMatchObject({ code: 0, stdout: expect.stringContaining('converged') });
    expect(await cluster.docker('service', 'ls', '--filter', 'name=web')).toMatch(
      /^ID +NAME +MODE +REPLICAS +IMAGE +PORTS\n\S{12} +web +replicated +3\/3 +plimsoll\/hello:1 +\*:80->80\/tcp$/,
    );
    const spec = JSON.parse(await cluster.docker('service', 'inspect', '--format', '{{json .Spec}}', 'web'));
    expect(spec).toMatchObject({
      Name: 'web',
      Mode: { Replicated: { Replicas: 3 } },
      EndpointSpec: { Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 80, PublishMode: 'ingress' }] },
    });
    const pretty = await cluster.docker('service', 'inspect', '--pretty', 'web');
    expect(pretty).toMatch(/Service Mode:\tReplicated\n Replicas:\t3/);
    expect(await running('web')).toHaveLength(3);
    for (const { name, address } of cluster.lab.hosts) {
      await eventually(() => cluster.on(name, 'curl', '-fsS', '-m', '5', `http://${address}:80/`), patiently);
    }

    expect((await cluster.try('service', 'scale', 'web=5')).stdout).toContain('web scaled to 5');
    expect(await running('web')).toHaveLength(5);
    expect((await cluster.try('service', 'update', '--image', 'plimsoll/hello:2', 'web')).code).toBe(0);
    expect(imagesOf(await running('web'))).toEqual(Array(5).fill('plimsoll/hello:2'));
    expect(await cluster.docker('service', 'rm', 'web')).toBe('web');
    expect((await cluster.try('service', 'ps', 'web')).stderr).toContain('no such service: web');
  });

  it('a rolling update: two at a time, and back again one at a time', async () => {
    const update = ['--update-parallelism', '2', '--update-delay', '10s', '--update-failure-action', 'rollback'];
    const rollback = ['--rollback-parallelism', '1', '--rollback-delay', '5s'];
    await cluster.docker('service', 'create', '--name', 'api', '--replicas', '6', ...update, ...rollback, before);
    expect(imagesOf(await running('api'))).toEqual(Array(6).fill(before));
    expect((await cluster.try('service', 'update', '--image', after, 'api')).code).toBe(0);
    expect(imagesOf(await running('api'))).toEqual(Array(6).fill(after));
    const waits = await waitsBetween('api');
    expect(waits.filter((ms) => ms >= 10_000)).toHaveLength(2);

    const begun = await cluster.try('service', 'rollback', '--detach', 'api');
    expect(begun.code).toBe(0);
    const isUnderWay = async () => imagesOf(await running('api')).filter((image) => image === before).length >= 2;
    await eventually(isUnderWay, { ...patiently, what: 'two tasks of api to be rolled back' });
    expect((await waitsBetween('api', before)).every((ms) => ms >= 5_000)).toBe(true);
    const shown = await cluster.docker('service', 'inspect', '--format', '{{.UpdateStatus.State}}', 'api');
    expect(shown).toMatch(/^rollback_(started|completed)$/);
  });

  it('a stack: services, networks, a volume and a secret, from one file', async () => {
    const password = join(folder, 'password');
    writeFileSync(password, 'correct horse');
    await cluster.docker('secret', 'create', 'db_password', password);
    await cluster.docker('stack', 'deploy', '-c', stackFile('introduction.yml'), 'shop');
    await converged('shop', ['shop_api 2/2', 'shop_db 1/1', 'shop_web 3/3']);
    expect(linesOf(await cluster.docker('stack', 'ls', '--format', '{{.Name}} {{.Services}}'))).toContain('shop 3');
    const wanted = ['--filter', 'desired-state=running', '--quiet'];
    expect(linesOf(await cluster.docker('stack', 'ps', ...wanted, 'shop'))).toHaveLength(6);

    expect((await running('shop_db')).map(({ node }) => node)).toEqual(['h1']);
    expect(await inside('shop_db', 'cat', '/run/secrets/db_password')).toBe('correct horse');
    expect(await inside('shop_db', 'mount')).toContain(' on /var/lib/db ');
    const limits = await inspectContainer('shop_api', '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}');
    expect(limits).toBe(`500000000 ${256 << 20}`);
    await eventually(async () => (await ask('shop_web', 'api')) === 'shop_api', patiently);
    await eventually(async () => (await ask('shop_api', 'db')) === 'shop_db', patiently);
    expect(await ask('shop_web', 'db')).toMatch(/EAI_AGAIN|ENOTFOUND/);

    await cluster.docker('stack', 'rm', 'shop');
    expect(linesOf(await cluster.docker('stack', 'ls', '--format', '{{.Name}}'))).not.toContain('shop');
  });

  it('a health check and a restart policy', async () => {
    await cluster.docker('stack', 'deploy', '-c', stackFile('health-check.yml'), 'checked');
    const format = '{{json .Config.Healthcheck}}';
    const check = await eventually(() => inspectContainer('checked_web', format), patiently);
    expect(JSON.parse(check)).toMatchObject({
      Interval: 30 * SECOND_NS,
      Timeout: 10 * SECOND_NS,
      Retries: 3,
      StartPeriod: 40 * SECOND_NS,
    });
    const policy = '{{json .Spec.TaskTemplate.RestartPolicy}}';
    expect(JSON.parse(await cluster.docker('service', 'inspect', '--format', policy, 'checked_web'))).toMatchObject({
      Condition: 'on-failure',
      Delay: 5 * SECOND_NS,
      MaxAttempts: 3,
    });
    await converged('checked', ['checked_web 1/1']);
    expect(await inspectContainer('checked_web', '{{.State.Health.Status}}')).toBe('healthy');
    await cluster.docker('stack', 'rm', 'checked');
  });

  const running = (service: string) => cluster.running(service);

  const imagesOf = (tasks: readonly ShownTask[]) => tasks.map(({ image }) => image);

  /** Milliseconds between the makings of the running tasks of a service, of one image or of any. */
  const waitsBetween = async (service: string, image?: string) => {
    const tasks = (await running(service)).filter((task) => image === undefined || task.image === image);
    const ids = tasks.map(({ id }) => id);
    const made = linesOf(await cluster.docker('inspect', '--format', '{{json .CreatedAt}}', ...ids));
    const times = made.map((text) => Date.parse(JSON.parse(text))).toSorted((left, right) => left - right);
    return times.slice(1).map((ms, index) => ms - (times[index] ?? 0));
  };

  const converged = async (stack: string, services: readonly string[]) => {
    const condition = async () => {
      const shown = linesOf(await cluster.docker('stack', 'services', '--format', '{{.Name}} {{.Replicas}}', stack));
      if (services.every((service) => shown.includes(service))) return true;
      throw new Error(shown.join(', '));
    };
    await eventually(condition, { ...patiently, what: `${stack} to converge` });
  };

  const aContainerOf = async (service: string) => {
    const [container] = await cluster.serviceContainers(service);
    if (!container) throw new Error(`${service} has no container that runs`);
    return container;
  };

  const inspectContainer = async (service: string, format: string) => {
    const { host, id } = await aContainerOf(service);
    return cluster.engine(host, 'inspect', '--format', format, id);
  };

  const inside = async (service: string, ...command: string[]) => {
    const { host, id } = await aContainerOf(service);
    return cluster.engine(host, 'exec', id, ...command);
  };

  const ask = (service: string, name: string) => inside(service, 'node', '-e', askProgram, name);
});
