/** A real Alertmanager, with the route Plimsoll ships, and a coordinator it calls: from an alert to a count of replicas. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { alertmanagerAt } from '../../../coordinator/alerts/alertmanager.ts';
import { AlertTokenAnswer, AlertView } from '../../../model/alert-view.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type AlertmanagerServer, startAlertmanager, type TestAlert } from '../../support/alertmanager-server.ts';
import { eventually } from '../../support/eventually.ts';
import { type LoneCoordinator, startLoneCoordinator } from '../../support/lone-coordinator.ts';

const TIMEOUT_MS = 60_000;
const labels = { plimsoll_service: 'web', alertname: 'WebNeedsReplicas', plimsoll_action: 'scale-up' };

describe('alerts of a real Alertmanager', () => {
  let coordinator: LoneCoordinator;
  let alertmanager: AlertmanagerServer | undefined;

  beforeAll(async () => {
    // Alertmanager must know the coordinator's port, the coordinator Alertmanager's: it is asked once it is there.
    const firing = async () => {
      if (alertmanager === undefined) throw new Error('not there yet');
      return alertmanagerAt(alertmanager.url, systemClock).firing();
    };
    coordinator = await startLoneCoordinator({ alertmanager: { firing } });
    const { token } = AlertTokenAnswer.parse(await coordinator.call('GET', '/v1/alerts/token'));
    alertmanager = await startAlertmanager({ coordinator: coordinator.url, token });
    await coordinator.createService('web', {
      'plimsoll.alerts': 'scale-up',
      'plimsoll.autoscale.max': '4',
      'plimsoll.autoscale.down-window': '0s',
    });
  });

  afterAll(async () => {
    await alertmanager?.stop();
    await coordinator?.stop();
  });

  const alert = (replicas: string, more: Partial<TestAlert> = {}): TestAlert => ({
    labels,
    annotations: { plimsoll_replicas: replicas },
    startsAt: new Date(Date.now() - 1_000).toISOString(),
    ...more,
  });
  const known = async () => z.array(AlertView).parse(await coordinator.call('GET', '/v1/alerts'));
  const replicasBecome = (count: number) => coordinator.replicasBecome('web', count);

  it('scale a service to as many as they ask for, by the webhook', async () => {
    await replicasBecome(1);
    await alertmanager?.tell(alert('3'));
    const view = await replicasBecome(3);
    expect(view).toMatchObject({
      condition: 'following',
      reason: expect.stringMatching(/WebNeedsReplicas asks for 3/),
    });
    expect(await known()).toMatchObject([{ service: 'web', state: 'firing', words: 'asks for 3' }]);
    expect(await coordinator.page()).toMatch(/^plimsoll_alerts_firing\{service="web",stack="",action="scale-up"\} 1$/m);
  });

  it('that say a new number are heard of by asking', async () => {
    await alertmanager?.tell(alert('2'));
    expect((await replicasBecome(2)).reason).toMatch(/asks for 2/);
  });

  it('that are silenced ask for nothing any more', async () => {
    await alertmanager?.silence('alertname', 'WebNeedsReplicas');
    await replicasBecome(1);
    expect(await known()).toMatchObject([{ state: 'over' }]);
  });

  it('without the token nobody is heard', async () => {
    const stranger = await startAlertmanager({ coordinator: coordinator.url, token: 'guessed' });
    try {
      await stranger.tell(alert('4', { labels: { ...labels, alertname: 'Stranger' } }));
      const refused = async () => {
        return /^plimsoll_alerts_refused_total\{reason="token"\} [1-9]/m.test(await coordinator.page()) || undefined;
      };
      await eventually(refused, { timeoutMs: TIMEOUT_MS, intervalMs: 100, what: 'a message to be refused' });
      expect(await known()).toHaveLength(1);
    } finally {
      await stranger.stop();
    }
  });
});
