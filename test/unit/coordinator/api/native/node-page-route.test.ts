import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addNodePageRoute } from '../../../../../coordinator/api/native/node-page-route.ts';
import { PlimsollError } from '../../../../../runtime/errors.ts';
import { createLog } from '../../../../../runtime/log.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';

describe('/v1/nodes/<node>/metrics', () => {
  let world: PlanWorld;
  let nodeId: string;
  let notReady: string | undefined;
  let url: string;
  let close = () => {};

  beforeEach(async () => {
    world = new PlanWorld();
    nodeId = world.addNode('host-1');
    notReady = undefined;
    const app = express();
    const page = async ({ id }: { id: string }) => Buffer.from(`page of ${id}\n`);
    const snapshot = () => world.snapshot();
    const sending = { clock: new FakeClock(), log: createLog('test', 'silent') };
    addNodePageRoute(app, { ...sending, snapshot, notReady: () => notReady, nodePages: { page } });
    app.use(((error, _request, response, _next) => {
      response.status(400).send(error instanceof PlimsollError ? `${error.code}: ${error.message}` : 'a bug');
    }) as express.ErrorRequestHandler);
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/nodes`;
    close = () => {
      server.close();
      server.closeAllConnections();
    };
  });
  afterEach(() => close());

  const textOf = async (node: string) => (await fetch(`${url}/${node}/metrics`)).text();

  test('is found by name and by id, in Prometheus’ content type', async () => {
    const response = await fetch(`${url}/host-1/metrics`);

    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe(`page of ${nodeId}\n`);
    expect(await textOf(nodeId)).toBe(`page of ${nodeId}\n`);
  });

  test('names a node there is none of', async () => {
    expect(await textOf('host-9')).toBe('not-found: No node is called "host-9"');
  });

  test('never calls a node unknown while the cluster’s state is', async () => {
    notReady = 'the bus is away';

    expect(await textOf('host-9')).toBe("unavailable: Cannot tell the cluster's state: the bus is away");
    expect(await textOf('host-1')).toBe(`page of ${nodeId}\n`);
  });

  test('does not ask a node that is lost', async () => {
    world.setState(nodeId, 'lost');

    expect(await textOf('host-1')).toBe('unavailable: Node host-1 is lost: lost');
  });
});
