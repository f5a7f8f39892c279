import { describe, expect, it } from 'vitest';
import { lagIn, queuesAt } from '../../../../coordinator/autoscale/queues.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { freePort } from '../../../support/free-port.ts';

const queue = { stream: 'jobs', consumer: 'workers' };
const consumer = { name: 'workers', stream_name: 'jobs', num_pending: 40, num_ack_pending: 2 };
const account = (consumers: readonly unknown[] | null) => ({
  name: '$G',
  stream_detail: [{ name: 'jobs', consumer_detail: consumers }, { name: 'other' }],
});
const answer = (...accounts: readonly unknown[]) => JSON.stringify({ streams: 2, account_details: accounts });

describe('the lag of a consumer', () => {
  it('is what was not delivered, and what was and is not acknowledged', () => {
    expect(lagIn(answer(account([{ ...consumer, name: 'x' }, consumer])), queue)).toEqual({ value: 42 });
  });

  it.each([
    ['no consumer of that name', answer(account([])), /no consumer workers of a stream jobs/],
    ['no consumers', answer(account(null)), /no consumer/],
    ['no streams', JSON.stringify({ streams: 0 }), /no consumer/],
    ['the same in two accounts', answer(account([consumer]), account([consumer])), /several accounts/],
    ['counts that are none', answer(account([{ ...consumer, num_pending: -1 }])), /not NATS/],
    ['no JSON', '<html>', /not NATS/],
  ])('cannot be told: %s', (_what, text, problem) => {
    expect(lagIn(text, queue)).toEqual({ problem: expect.stringMatching(problem) });
  });

  it('cannot be told by a server that is away', async () => {
    const queues = queuesAt(`http://127.0.0.1:${await freePort()}`, systemClock);
    expect(await queues.lag(queue)).toEqual({ problem: expect.stringMatching(/does not answer/) });
  });
});
