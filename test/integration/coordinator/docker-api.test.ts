import { request } from 'node:http';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DockerApiServer, nodeIdOf } from '../../support/docker-api-server.ts';

interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string;
}

describe('the Engine API over HTTP', () => {
  let cluster: DockerApiServer;

  beforeEach(async () => {
    cluster = await DockerApiServer.start();
    await cluster.addNode('h1');
  });

  afterEach(() => cluster.stop());

  function ask(method: string, path: string, body?: string | Buffer, type = 'application/json'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) };
      const call = request({ socketPath: cluster.socketPath, method, path, headers }, (res) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk) => chunks.push(chunk));
        res.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: res.statusCode ?? 0, contentType: res.headers['content-type'], body: text });
        });
      });
      call.on('error', reject);
      call.end(body);
    });
  }
  const post = (body: unknown, path = '/v1.51/services/create') => ask('POST', path, JSON.stringify(body));
  const message = (answer: Answer): string => JSON.parse(answer.body).message;
  const spec = { Name: 'web', TaskTemplate: { ContainerSpec: { Image: 'a:1' } } };

  it.each([
    ['GET', '/v1.51/nothing', 404, 'page not found'],
    ['PATCH', '/services', 404, 'page not found'],
    ['GET', '/v1.41/services/x', 404, 'service x not found'],
    ['GET', '/nodes/x', 404, 'node x not found'],
    ['GET', '/tasks/x', 404, 'task x not found'],
    ['GET', '/secrets/x', 404, 'secret x not found'],
    ['GET', '/containers/x/json', 404, 'No such container: x'],
    ['GET', '/images/x/json', 404, 'No such image: x:latest'],
    ['GET', '/networks/none?scope=swarm', 404, 'network none not found'],
    ['DELETE', '/networks/bridge', 403, 'bridge is a pre-defined network and cannot be removed'],
    ['GET', '/v1.99/services', 400, 'client version 1.99 is too new. Maximum supported API version is 1.51'],
    ['GET', '/services?filters={"bogus":["x"]}', 400, "invalid filter 'bogus'"],
    ['GET', '/tasks?filters={"desired-state":["bogus"]}', 400, "Invalid desired-state filter: 'bogus'"],
    ['GET', '/services/%E0%A4%A', 400, 'the path is not valid percent-encoding'],
    [
      'POST',
      '/containers/create',
      501,
      'Plimsoll does not support single containers: create a service (not supported)',
    ],
  ])("%s %s is %i with Docker's text", async (method, path, status, text) => {
    const answer = await ask(method, path.replaceAll('"', '%22'));
    expect(answer).toMatchObject({ status, contentType: 'application/json' });
    expect(message(answer)).toBe(text);
  });

  it('tells clients of the last decade that they are too old', async () => {
    const answer = await ask('GET', '/v1.20/services');
    expect(answer).toMatchObject({ status: 400, contentType: 'text/plain; charset=utf-8' });
    expect(answer.body).toContain('client version 1.20 is too old. Minimum supported API version is 1.24');
  });

  it.each([
    [{ ...spec, Nmae: 'x' }, 'Nmae: unknown field'],
    [
      { ...spec, TaskTemplate: { ContainerSpec: { Image: 'a:1', Envv: [] } } },
      'TaskTemplate.ContainerSpec.Envv: unknown field',
    ],
    [{ ...spec, TaskTemplate: { ContainerSpec: { Image: 1 } } }, 'TaskTemplate.ContainerSpec.Image: '],
    [{ ...spec, Mode: { Replicated: { Replicas: -1 } } }, 'Mode.Replicated.Replicas: '],
    [{ ...spec, Mode: { Replicated: { Replicas: '3' } } }, 'Mode.Replicated.Replicas: '],
    [{ ...spec, EndpointSpec: { Ports: [{ TargetPort: 99999 }] } }, 'EndpointSpec.Ports.0.TargetPort: '],
    [{ ...spec, Name: 'no good' }, 'name must be valid as a DNS name component'],
    [{ ...spec, TaskTemplate: { ContainerSpec: { Image: 'BAD IMAGE' } } }, '"BAD IMAGE" is not a valid repository/tag'],
    [{ Name: 'web' }, 'TaskTemplate: '],
    [[], 'the body: '],
    ['text', 'the body: '],
  ])('refuses %j and names the field', async (body, text) => {
    const answer = await post(body);
    expect(answer).toMatchObject({ status: 400, contentType: 'application/json' });
    expect(message(answer)).toContain(text);
    expect(cluster.snapshot().services.size).toBe(0);
  });

  it('refuses malformed bodies', async () => {
    const path = '/services/create';
    expect(message(await ask('POST', path, '{"Name":'))).toBe('invalid JSON: unexpected EOF');
    expect(message(await ask('POST', path, ''))).toBe('invalid JSON: got EOF while reading request body');
    const answer = await ask('POST', path, '{}', 'text/plain');
    expect(message(answer)).toBe("unsupported Content-Type header (text/plain): must be 'application/json'");
  });

  it('does not read a body of 50 MB', async () => {
    const answer = await ask('POST', '/services/create', Buffer.alloc(50 * 1024 * 1024, ' '));
    expect(answer.status).toBe(413);
    expect((await ask('GET', '/_ping')).body).toBe('OK');
  });

  it('stops reading a body without a length at the limit', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const call = request({ socketPath: cluster.socketPath, method: 'POST', path: '/services/create' });
      call.setHeader('Content-Type', 'application/json');
      call.on('response', (res) => resolve(res.statusCode ?? 0)).on('error', reject);
      const chunk = Buffer.alloc(1024 * 1024, ' ');
      const writeMore = () => !call.destroyed && call.write(chunk, writeMore);
      writeMore();
    });
    expect(status).toBe(413);
  });

  it('answers random bytes with a 4xx and changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        const answer = await ask('POST', '/services/create', Buffer.from(bytes));
        expect(answer.status).toBe(400);
        expect(message(answer)).toMatch(/^invalid JSON: /);
      }),
      { numRuns: 100 },
    );
    expect(cluster.snapshot().services.size).toBe(0);
  });

  it('answers any JSON under any field with a 4xx, or stores a valid service', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('Labels', 'Mode', 'UpdateConfig', 'EndpointSpec'),
        fc.jsonValue(),
        async (field, value) => {
          const before = cluster.snapshot().services.size;
          const { status } = await post({ ...spec, Name: `web${before}`, [field]: value });
          expect([201, 400, 501]).toContain(status);
          expect(cluster.snapshot().services.size).toBe(status === 201 ? before + 1 : before);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('answers strange paths and queries with a 4xx', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('services', 'tasks', 'nodes', 'containers'),
        fc.string({ unit: 'binary' }),
        async (kind, text) => {
          const encoded = encodeURIComponent(text);
          expect((await ask('GET', `/${kind}?filters=${encoded}`)).status).toBeLessThan(500);
          expect((await ask('GET', `/${kind}/${encoded}`)).status).toBeLessThan(500);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('refuses a stale version with 500, as Swarm does', async () => {
    const { ID } = JSON.parse((await post(spec)).body);
    const { Version } = JSON.parse((await ask('GET', `/services/${ID}`)).body);
    const path = `/services/${ID}/update?version=${Version.Index}`;
    expect((await post({ ...spec, Labels: { a: 'b' } }, path)).status).toBe(200);
    const stale = await post({ ...spec, Labels: { a: 'c' } }, path);
    expect(stale.status).toBe(500);
    expect(message(stale)).toBe('rpc error: code = Unknown desc = update out of sequence');
    expect(message(await post(spec, `/services/${ID}/update`))).toBe(
      `invalid service version '': strconv.ParseUint: parsing "": invalid syntax`,
    );
  });

  it('creates a name once, however many ask at a time', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(spec)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
  });

  it('gives an unset port a number nobody else gets', async () => {
    const publishing = (Name: string) => post({ ...spec, Name, EndpointSpec: { Ports: [{ TargetPort: 80 }] } });
    await Promise.all(['a', 'b', 'c'].map(publishing));
    const ports = [...cluster.snapshot().services.values()].map(({ value }) => value.ports[0]?.PublishedPort);
    expect(ports.sort()).toEqual([30000, 30001, 30002]);
  });

  it('keeps registry credentials with the service, sealed, and takes none for what they are', async () => {
    const create = (credentials: object) => {
      const header = Buffer.from(JSON.stringify(credentials)).toString('base64url');
      return fetchWith({ 'X-Registry-Auth': header });
    };
    const kept = () => [...cluster.snapshot().services.values()].map(({ value }) => value.registryAuth);
    expect(await create({})).toBe(201);
    expect(kept()).toEqual([undefined]);
    await ask('DELETE', `/services/${spec.Name}`);
    expect(await create({ username: 'me', password: 'secret' })).toBe(201);
    expect(kept().filter(Boolean)).toEqual([expect.not.stringMatching(/me|secret/)]);
  });

  function fetchWith(headers: Record<string, string>): Promise<number> {
    return new Promise((resolve, reject) => {
      const path = '/services/create';
      const all = { ...headers, 'Content-Type': 'application/json' };
      request({ socketPath: cluster.socketPath, method: 'POST', path, headers: all }, (res) => {
        res.resume();
        resolve(res.statusCode ?? 0);
      })
        .on('error', reject)
        .end(JSON.stringify(spec));
    });
  }

  it('counts requests by route, not by path', async () => {
    await ask('GET', '/v1.51/services/x');
    await ask('GET', `/v1.51/nodes/${nodeIdOf('h1')}`);
    const text = await cluster.metrics.metrics();
    expect(text).toContain(
      'plimsoll_api_requests_total{api="docker",method="GET",route="/services/:service",code="404"} 1',
    );
    expect(text).toContain('plimsoll_api_requests_total{api="docker",method="GET",route="/nodes/:node",code="200"} 1');
  });
});
