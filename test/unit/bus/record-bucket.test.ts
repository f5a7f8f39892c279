import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { busMetrics } from '../../../bus/bus-metrics.ts';
import type { RawBucket, RawWrite, StoredMessage } from '../../../bus/raw-bucket.ts';
import { reader } from '../../../bus/reader.ts';
import { RecordBucket } from '../../../bus/record-bucket.ts';
import { NetRecord } from '../../../model/network-records.ts';
import { PlimsollError } from '../../../runtime/errors.ts';
import { createLog } from '../../../runtime/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { aSubnet } from '../../support/records.ts';

const LOST = new PlimsollError('timeout', 'no answer');

/** A server that says nothing of what is written at once, with what lies there afterwards. */
function silentServer(after: ReadonlyMap<string, StoredMessage>, asked: RawWrite[][] = []): RawBucket {
  return {
    name: 'plim_net',
    write: async () => Promise.reject(LOST),
    writeTogether: async (writes) => {
      asked.push([...writes]);
      throw LOST;
    },
    read: async (key) => after.get(key),
    watch: async () => Promise.reject(LOST),
  };
}

function leaderOf(raw: RawBucket) {
  return new RecordBucket({
    raw,
    keyPrefix: '',
    schema: NetRecord,
    fence: { key: '_epoch', revision: 1 },
    clock: new FakeClock(),
    log: createLog('test', 'silent'),
    metrics: busMetrics(new Registry()),
    reader,
  });
}

const value = aSubnet('10.0.0.0/26', 1, 'b');
const stored = (revision: number): StoredMessage => ({
  key: 'b',
  data: JSON.stringify(value),
  deleted: false,
  revision,
  writtenAtMs: 0,
});
const writes = [
  { key: 'a', value, expectedRevision: undefined },
  { key: 'b', value, expectedRevision: 7 },
];

test('many writes at once without an answer have failed if the last key is where it was, though it says the same', async () => {
  const leader = leaderOf(silentServer(new Map([['b', stored(7)]])));

  expect(await leader.writeAll(writes)).toEqual([{ error: LOST }, { error: LOST }]);
});

test('many writes at once without an answer were made if the last key holds what was written, after what was expected', async () => {
  const leader = leaderOf(silentServer(new Map([['b', stored(9)]])));

  expect(await leader.writeAll(writes)).toEqual([{ revision: 8 }, { revision: 9 }]);
});

test('many writes at once carry the fence with the first and each other one its own revision', async () => {
  const asked: RawWrite[][] = [];

  await leaderOf(silentServer(new Map(), asked)).writeAll(writes);

  expect(asked.flat().map(({ expectation }) => expectation)).toEqual([
    { key: '_epoch', revision: 1 },
    { key: 'b', revision: 7 },
  ]);
});
