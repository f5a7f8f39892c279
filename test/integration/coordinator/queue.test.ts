/** A real NATS server with a real stream and consumer, and a coordinator that scales a service by what waits there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queuesAt } from '../../../coordinator/autoscale/queues.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { type LoneCoordinator, startLoneCoordinator } from '../../support/lone-coordinator.ts';
import { type QueueServer, startQueueServer } from '../../support/queue-server.ts';

const [stream, consumer] = ['JOBS', 'workers'];

describe('a queue of a real NATS', () => {
  let queue: QueueServer;
  let coordinator: LoneCoordinator;

  beforeAll(async () => {
    queue = await startQueueServer(stream, consumer);
    coordinator = await startLoneCoordinator({ queues: queuesAt(queue.monitoringUrl, systemClock) });
    await coordinator.createService('worker', {
      'plimsoll.autoscale.min': '0',
      'plimsoll.autoscale.max': '6',
      'plimsoll.autoscale.nats.stream': stream,
      'plimsoll.autoscale.nats.consumer': consumer,
      'plimsoll.autoscale.nats.lag': '10',
      'plimsoll.autoscale.down-window': '0s',
    });
  });

  afterAll(async () => {
    await coordinator?.stop();
    await queue?.stop();
  });

  it('scales a service to zero while nothing waits, and wakes it as deep as the queue is', async () => {
    await queue.empty();
    await coordinator.replicasBecome('worker', 0);
    await queue.publish(35);
    const view = await coordinator.replicasBecome('worker', 4);
    expect(view.reason).toMatch(/35/);
  });

  it('counts what is delivered and not acknowledged, and shrinks the service as work is done', async () => {
    await queue.empty();
    await queue.publish(35);
    const acknowledge = await queue.take(30);
    expect(await queuesAt(queue.monitoringUrl, systemClock).lag({ stream, consumer })).toEqual({ value: 35 });
    await acknowledge();
    await coordinator.replicasBecome('worker', 1);
  });

  it('holds the count when the consumer is gone, and says why, in words and as a metric', async () => {
    await queue.removeConsumer();
    const isBlind = ({ condition }: { condition: string }) => condition === 'blind';
    const blind = await coordinator.viewWith('worker', 'the autoscaler to be blind', isBlind);
    expect(blind.reason).toContain('NATS has no consumer workers of a stream JOBS');
    expect(blind.replicas).toBe(1);
    expect(await coordinator.page()).toMatch(
      /^plimsoll_autoscaler_condition\{service="worker",stack="",condition="blind"\} 1$/m,
    );
  });
});
