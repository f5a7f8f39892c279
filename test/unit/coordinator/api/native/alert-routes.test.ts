/** `/v1/alerts` behind a real server: whom it lets in, and what it makes of what it is sent. */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Taken } from '../../../../../coordinator/alerts/alert-book.ts';
import type { AlertReport } from '../../../../../coordinator/alerts/alert-report.ts';
import { addAlertRoutes, addAlertWebhook } from '../../../../../coordinator/api/native/alert-routes.ts';
import { addErrorAnswers } from '../../../../../coordinator/api/native/error-answers.ts';
import { openStore, type Store } from '../../../../../coordinator/store/store.ts';
import { systemClock } from '../../../../../runtime/clock.ts';
import { PlimsollError } from '../../../../../runtime/errors.ts';
import { derivedId } from '../../../../../runtime/identifiers.ts';
import { createLog } from '../../../../../runtime/log.ts';
import { createMetrics } from '../../../../../runtime/metrics.ts';
import { alertPartsOn, aNotifiedAlert, aWebhook } from '../../../../support/alerts.ts';
import { type MemoryConnection, MemoryServer } from '../../../../support/memory-bus.ts';

describe('/v1/alerts', () => {
  let connection: MemoryConnection;
  let store: Store;
  let url: string;
  let close: () => void;
  let taken: (readonly AlertReport[])[];
  let answer: () => Promise<Taken>;
  let notReady: string | undefined;
  const metrics = createMetrics('test', '0');
  let warned: unknown[];
  const log = { warn: (fields: unknown) => void warned.push(fields) };

  beforeEach(async () => {
    connection = new MemoryServer({ clock: systemClock }).connect();
    const times = { createdAtMs: 1, updatedAtMs: 1 };
    await connection.buckets.clusters.create('main', {
      v: 1,
      id: derivedId('cluster'),
      taskHistoryLimit: 5,
      labels: {},
      ...times,
    });
    store = await openStore({ buckets: connection.buckets, clock: systemClock });
    taken = [];
    warned = [];
    notReady = undefined;
    answer = async () => ({ counts: { changed: 1, total: 1 }, ignored: [] });
    const app = express();
    const { alertToken } = alertPartsOn(store, connection, systemClock);
    const take = (reports: readonly AlertReport[]) => {
      taken.push(reports);
      return answer();
    };
    const parts = {
      snapshot: () => store.snapshot(),
      alertBook: { take },
      alertToken,
      metrics,
      clock: systemClock,
      log,
    };
    const requireReady = () => {
      if (notReady !== undefined) throw new PlimsollError('unavailable', notReady);
    };
    addAlertWebhook(app, parts, requireReady);
    addAlertRoutes(app, parts, requireReady);
    addErrorAnswers(app, createLog('test', 'silent'));
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/alerts`;
    close = () => {
      server.close();
      server.closeAllConnections();
    };
  });

  afterEach(async () => {
    close();
    await store.close();
  });

  async function token(rotate = false): Promise<string> {
    const response = rotate ? await fetch(`${url}/token/rotate`, { method: 'POST' }) : await fetch(`${url}/token`);
    return ((await response.json()) as { token: string }).token;
  }

  async function send(body: string | Buffer, authorization?: string) {
    const headers = { authorization: authorization ?? `Bearer ${await token()}` };
    const response = await fetch(url, { method: 'POST', body, headers });
    return { status: response.status, body: (await response.json()) as { message?: string } };
  }

  const webhook = JSON.stringify(aWebhook([aNotifiedAlert()]));

  it('takes what Alertmanager sends', async () => {
    expect(await send(webhook)).toEqual({ status: 200, body: { changed: 1, total: 1, ignored: [] } });
    expect(taken).toMatchObject([[{ fingerprint: 'a1', status: 'firing' }]]);
  });

  it.each(['', 'Bearer', 'Bearer wrong', 'Basic cGxpbTpwbGlt'])('lets nobody in with "%s"', async (authorization) => {
    const { status, body } = await send(webhook, authorization);
    expect({ status, message: body.message }).toEqual({
      status: 401,
      message: expect.stringContaining('plim alerts token'),
    });
    expect(taken).toEqual([]);
  });

  it('who comes without the token is logged once, not with each message', async () => {
    for (let time = 0; time < 3; time += 1) {
      await fetch(url, { method: 'POST', headers: { authorization: 'Bearer guessed' }, body: '{}' });
    }
    expect(warned).toEqual([{ address: expect.stringContaining('127.0.0.1') }]);
  });

  it('a new token shuts the old one out', async () => {
    const old = await token();
    const fresh = await token(true);
    expect(fresh).not.toBe(old);
    expect((await send(webhook, `Bearer ${old}`)).status).toBe(401);
    expect((await send(webhook, `Bearer ${fresh}`)).status).toBe(200);
  });

  it.each([
    ['what is not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 400, /not UTF-8/],
    ['what is not JSON', 'alerts=1', 400, /invalid JSON/],
    ['nothing', '', 400, /EOF/],
    ['the wrong thing', '{"version":"4","alerts":[{}]}', 400, /alerts\.0\./],
    [
      'a hundred thousand alerts',
      JSON.stringify(aWebhook(Array.from({ length: 100_000 }, () => ({})))),
      400,
      /too many/,
    ],
    ['a huge body', 'x'.repeat(5 * 1024 * 1024), 400, /larger than/],
  ])('refuses %s', async (_what, body, status, message) => {
    const answered = await send(body);
    expect(answered).toMatchObject({ status, body: { message: expect.stringMatching(message) } });
    expect(taken).toEqual([]);
  });

  it('has it sent again while nothing can be written', async () => {
    const authorization = `Bearer ${await token()}`;
    notReady = 'the connection to NATS is down';
    expect((await send(webhook, authorization)).status).toBe(503);
    notReady = undefined;
    answer = async () => {
      throw new PlimsollError('timeout', 'no answer');
    };
    expect((await send(webhook)).status).toBe(504);
  });

  it('reads four messages at a time, the others are to come again', async () => {
    let end = () => {};
    const held = new Promise<Taken>((resolve) => {
      end = () => resolve({ counts: {}, ignored: [] });
    });
    answer = () => held;
    const authorization = `Bearer ${await token()}`;
    const all = Array.from({ length: 6 }, async () => {
      const { status } = await send(webhook, authorization);
      if (status === 503) refused += 1;
      if (refused === 2) end();
      return status;
    });
    let refused = 0;
    expect((await Promise.all(all)).toSorted()).toEqual([200, 200, 200, 200, 503, 503]);
  });

  it('shows what is known of alerts', async () => {
    expect(await (await fetch(url)).json()).toEqual([]);
  });
});
