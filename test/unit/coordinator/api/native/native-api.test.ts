import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createNativeApi, type NativeApiParts } from '../../../../../coordinator/api/native/native-api.ts';
import { systemClock } from '../../../../../runtime/clock.ts';
import { PlimsollError } from '../../../../../runtime/errors.ts';
import { createLog } from '../../../../../runtime/log.ts';
import { createMetrics } from '../../../../../runtime/metrics.ts';
import { MemoryServer } from '../../../../support/memory-bus.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const refused = async () => {
  throw new PlimsollError('unsupported', 'not in this test');
};
const nothing = {
  create: refused,
  relabel: refused,
  remove: refused,
  rotate: refused,
  content: () => Buffer.alloc(0),
};
const noPayloads = { secret: nothing, config: nothing };

function parts(changes: Partial<NativeApiParts> = {}): NativeApiParts {
  const world = new PlanWorld();
  const { bus } = new MemoryServer({ clock: systemClock }).connect();
  return {
    bus,
    snapshot: () => world.snapshot(),
    notReady: () => undefined,
    damagedRecords: () => [],
    removeNode: async () => undefined,
    nodes: { update: refused },
    payloads: noPayloads,
    services: { rollbackTo: refused, update: refused },
    alertBook: { take: refused },
    alertToken: { isShownIn: () => false, current: () => '', rotate: refused },
    access: { joinToken: async () => 'PLIM-1-old', rotateJoinToken: async () => 'PLIM-1-new' },
    metrics: createMetrics('coordinator', '1'),
    plannedVersion: () => undefined,
    usage: { fresh: () => new Map() },
    identity: {
      clusterId: 'c1',
      advertiseAddress: '192.0.2.1',
      joinAddress: '192.0.2.9:4222',
      httpPort: 7700,
      version: '1',
    },
    clock: systemClock,
    log: createLog('test', 'silent'),
    ...changes,
  };
}

async function serve(which: 'local' | 'readOnly', apiParts: NativeApiParts): Promise<string> {
  const server = createNativeApi(apiParts)[which].listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('the public side shows health, metrics and targets, and nothing that lets anyone in or changes anything', async () => {
  const url = await serve('readOnly', parts());

  for (const path of ['/healthz', '/readyz', '/metrics', '/v1/sd']) expect((await fetch(url + path)).status).toBe(200);
  for (const path of ['/v1/token', '/v1/status', '/v1/nodes', '/v1/events', '/v1/why/web']) {
    expect((await fetch(url + path)).status).toBe(404);
  }
  expect((await fetch(`${url}/v1/token/rotate`, { method: 'POST' })).status).toBe(404);
  expect((await fetch(`${url}/v1/nodes/x`, { method: 'DELETE' })).status).toBe(404);
});

test('/v1/sd answers 503 while the state is unknown, so that Prometheus keeps what it has', async () => {
  const url = await serve('readOnly', parts({ notReady: () => 'the bus is away' }));

  const discovery = await fetch(`${url}/v1/sd`);
  const readiness = await fetch(`${url}/readyz`);

  expect(discovery.status).toBe(503);
  expect(await discovery.json()).toEqual({
    code: 'unavailable',
    message: "Cannot tell the cluster's state: the bus is away",
  });
  expect([readiness.status, await readiness.text()]).toEqual([503, 'the bus is away\n']);
});

test('/v1/sd refuses a way it does not know, by the name of the field', async () => {
  const url = await serve('readOnly', parts());

  const response = await fetch(`${url}/v1/sd?via=moon`);

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ message: expect.stringContaining('via: must be') });
  expect((await fetch(`${url}/v1/sd?via=coordinator`)).status).toBe(200);
});

test('/v1/sd has the content type Prometheus insists on', async () => {
  const url = await serve('readOnly', parts());

  expect((await fetch(`${url}/v1/sd`)).headers.get('content-type')).toBe('application/json; charset=utf-8');
});

test('the local side gives and renews the join token', async () => {
  const url = await serve('local', parts());

  expect(await (await fetch(`${url}/v1/token`)).json()).toEqual({ token: 'PLIM-1-old', address: '192.0.2.9:4222' });
  const renewed = await fetch(`${url}/v1/token/rotate`, { method: 'POST' });
  expect(await renewed.json()).toMatchObject({ token: 'PLIM-1-new' });
});

test('/v1/events streams one event a line', async () => {
  const apiParts = parts();
  const url = await serve('local', apiParts);
  const response = await fetch(`${url}/v1/events`);
  const event = { kind: 'service', id: 's1', action: 'create', attributes: { name: 'web' }, atMs: 1 };

  await apiParts.bus.publishDurably('plim.event.service.s1', event);

  const reader = response.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(JSON.parse(new TextDecoder().decode(value))).toEqual(event);
  await reader?.cancel();
});

test('a path that is not valid percent-encoding is the fault of who sent it', async () => {
  const url = await serve('local', parts());

  expect((await fetch(`${url}/v1/why/%E0%A4%A`)).status).toBe(400);
});

test('an unknown thing is a 404 with a sentence', async () => {
  const url = await serve('local', parts());

  const response = await fetch(`${url}/v1/why/nobody`);

  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({ code: 'not-found', message: 'No service, task or node is called "nobody"' });
});

test('the loss of a node is imagined by its name; one that is not known is a 404 with a sentence', async () => {
  const world = new PlanWorld();
  const id = world.addNode('h1');
  world.addService('web', 1);
  world.converge();
  const url = await serve('local', parts({ snapshot: () => world.snapshot() }));

  const loss = await fetch(`${url}/v1/plan/loss/h1`);
  const unknown = await fetch(`${url}/v1/plan/loss/nobody`);

  expect(await loss.json()).toMatchObject({ node: { id, name: 'h1' }, homeless: [{ service: 'web', slot: 1 }] });
  expect(unknown.status).toBe(404);
  expect(await unknown.json()).toEqual({ code: 'not-found', message: 'No node is called "nobody"' });
});

test.each([
  ['a string', '"__proto__"'],
  ['cut off', '{"content":'],
  ['nothing', ''],
  ['something else', '{"content": 7, "services": 7}'],
  ['nested without end', `{"services": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
])('a body that is %s is the fault of who sent it', async (_what, body) => {
  const url = await serve('local', parts());
  const headers = { 'Content-Type': 'application/json' };

  for (const path of ['/v1/secrets/db/rotate', '/v1/plan']) {
    const response = await fetch(url + path, { method: 'POST', headers, body });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid', message: expect.stringContaining('invalid JSON') });
  }
});
