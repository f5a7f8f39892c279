/** A real Alertmanager, with the route Plimsoll ships, and a coordinator it calls: from an alert to a count of replicas. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { alertmanagerAt } from '../../../coordinator/alerts/alertmanager.ts';
import { type RunningCoordinator, startCoordinator } from '../../../coordinator/coordinator.ts';
import type { CoordinatorParts } from '../../../coordinator/coordinator-parts.ts';
import { CoordinatorSettings } from '../../../coordinator/settings.ts';
import { AlertTokenAnswer, AlertView } from '../../../model/alert-view.ts';
import { AutoscaleView } from '../../../model/autoscale-view.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type AlertmanagerServer, startAlertmanager, type TestAlert } from '../../support/alertmanager-server.ts';
import { coordinatorParts } from '../../support/coordinator-parts.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeNode } from '../../support/fake-node.ts';
import { MemoryServer } from '../../support/memory-bus.ts';

const TIMEOUT_MS = 60_000;
const labels = { plimsoll_service: 'web', alertname: 'WebNeedsReplicas', plimsoll_action: 'scale-up' };

describe('alerts of a real Alertmanager', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-alerts-'));
  const server = new MemoryServer({ clock: systemClock });
  const node = new FakeNode('h1', server.connect('h1'), systemClock);
  let running: RunningCoordinator;
  let api: Client;
  let alertmanager: AlertmanagerServer;

  beforeAll(async () => {
    const alertmanagerUrl: { value?: string } = {};
    running = await startCoordinator(settings(), parts(alertmanagerUrl));
    api = new Client('http://docker', { socketPath: join(folder, 'docker.sock') });
    await node.start();
    const { token } = AlertTokenAnswer.parse(await call('GET', '/v1/alerts/token'));
    alertmanager = await startAlertmanager({ coordinator: `http://127.0.0.1:${running.port}`, token });
    alertmanagerUrl.value = alertmanager.url;
    const Labels = {
      'plimsoll.alerts': 'scale-up',
      'plimsoll.autoscale.max': '4',
      'plimsoll.autoscale.down-window': '0s',
    };
    const TaskTemplate = { ContainerSpec: { Image: 'plimsoll/sleep:1' } };
    await call('POST', '/v1.41/services/create', { Name: 'web', Labels, TaskTemplate });
  });

  afterAll(async () => {
    await alertmanager?.stop();
    await api?.close();
    await running?.stop();
    await node.stop();
    rmSync(folder, { recursive: true });
  });

  function settings(): CoordinatorSettings {
    const socket = join(folder, 'docker.sock');
    return CoordinatorSettings.parse({ stateDir: folder, socket, listen: '127.0.0.1', port: 0 });
  }

  /** Alertmanager must know the coordinator's port, the coordinator Alertmanager's: it is asked once it is there. */
  function parts(alertmanagerUrl: { readonly value?: string }): CoordinatorParts {
    return {
      ...coordinatorParts(async () => server.connect('c1')),
      alertmanager: {
        firing: async () => {
          if (alertmanagerUrl.value === undefined) throw new Error('not there yet');
          return alertmanagerAt(alertmanagerUrl.value, systemClock).firing();
        },
      },
    };
  }

  async function call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const response = await api.request({
      method,
      path,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
    return JSON.parse(text);
  }

  const alert = (replicas: string, more: Partial<TestAlert> = {}): TestAlert => ({
    labels,
    annotations: { plimsoll_replicas: replicas },
    startsAt: new Date(Date.now() - 1_000).toISOString(),
    ...more,
  });
  const known = async () => z.array(AlertView).parse(await call('GET', '/v1/alerts'));

  async function replicasBecome(count: number): Promise<AutoscaleView> {
    const look = async () => {
      const view = AutoscaleView.parse(await call('GET', '/v1/autoscale/web'));
      return view.replicas === count && view.ready === count ? view : undefined;
    };
    return eventually(look, { timeoutMs: TIMEOUT_MS, intervalMs: 100, what: `${count} ready replicas` });
  }

  it('scale a service to as many as they ask for, by the webhook', async () => {
    await replicasBecome(1);
    await alertmanager.tell(alert('3'));
    const view = await replicasBecome(3);
    expect(view).toMatchObject({
      condition: 'following',
      reason: expect.stringMatching(/WebNeedsReplicas asks for 3/),
    });
    expect(await known()).toMatchObject([{ service: 'web', state: 'firing', words: 'asks for 3' }]);
    const page = await (await fetch(`http://127.0.0.1:${running.port}/metrics`)).text();
    expect(page).toMatch(/^plimsoll_alerts_firing\{service="web",stack="",action="scale-up"\} 1$/m);
  });

  it('that say a new number are heard of by asking', async () => {
    await alertmanager.tell(alert('2'));
    expect((await replicasBecome(2)).reason).toMatch(/asks for 2/);
  });

  it('that are silenced ask for nothing any more', async () => {
    await alertmanager.silence('alertname', 'WebNeedsReplicas');
    await replicasBecome(1);
    expect(await known()).toMatchObject([{ state: 'over' }]);
  });

  it('without the token nobody is heard', async () => {
    const stranger = await startAlertmanager({ coordinator: `http://127.0.0.1:${running.port}`, token: 'guessed' });
    try {
      await stranger.tell(alert('4', { labels: { ...labels, alertname: 'Stranger' } }));
      const refused = async () => {
        const page = await (await fetch(`http://127.0.0.1:${running.port}/metrics`)).text();
        return /^plimsoll_alerts_refused_total\{reason="token"\} [1-9]/m.test(page) || undefined;
      };
      await eventually(refused, { timeoutMs: TIMEOUT_MS, intervalMs: 100, what: 'a message to be refused' });
      expect(await known()).toHaveLength(1);
    } finally {
      await stranger.stop();
    }
  });
});
