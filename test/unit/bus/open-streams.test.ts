import { JetStreamApiCodes, JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { expect, it } from 'vitest';
import { openStreams } from '../../../bus/open-streams.ts';
import { createLog } from '../../../runtime/log.ts';

const refusal = (err_code: number, description: string) => new JetStreamApiError({ code: 500, err_code, description });

/** A server without streams whose disk has no room for one of them. */
function serverWithoutRoomFor(refused: string) {
  const made: string[] = [];
  const streams = {
    info: () => Promise.reject(refusal(JetStreamApiCodes.StreamNotFound, 'stream not found')),
    add: async ({ name }: { readonly name: string }) => {
      if (name === refused) throw refusal(10_047, 'insufficient storage resources available');
      made.push(name);
    },
  };
  return { made, manager: { streams } as unknown as JetStreamManager };
}

const open = (manager: JetStreamManager) =>
  openStreams(
    manager,
    { replicas: 1, writeSecret: 's', expiresMessages: true, takesBatches: true, limitsConsumers: true },
    createLog('test', 'silent'),
  );

it('a disk without room for the past has the rest', async () => {
  const { manager, made } = serverWithoutRoomFor('plim_past');

  await open(manager);

  expect(made).toContain('plim_events');
  expect(made).not.toContain('plim_past');
});

it('any other stream must be there', async () => {
  await expect(open(serverWithoutRoomFor('plim_events').manager)).rejects.toThrow(
    'Cannot open stream plim_events: insufficient storage resources available',
  );
});
