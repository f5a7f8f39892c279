import { expect, test } from 'vitest';
import { nodesWithTasksOf } from '../../../../coordinator/images/image-holders.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { aStatusRecord, aTaskRecord } from '../../../support/docker-api-server.ts';
import { aService, aSnapshot } from '../../../support/snapshots.ts';

const service = aService();
const [h1, h2, h3] = ['h1', 'h2', 'h3'].map((name) => derivedId('node', name)) as [string, string, string];
const running = aTaskRecord(service, 1, h1);
const starting = aTaskRecord(service, 2, h2);
const stopped = { ...aTaskRecord(service, 3, h3), desired: 'stopped' as const };
const snapshot = aSnapshot({
  services: [service],
  tasks: [running, starting, stopped],
  statuses: [aStatusRecord(running, { state: 'running' }), aStatusRecord(starting, { state: 'preparing' })],
});

test('nodes whose tasks run an image are told from those that have yet to get it', () => {
  expect(nodesWithTasksOf(snapshot, 'a:1')).toEqual([h1, h2]);
  expect(nodesWithTasksOf(snapshot, 'docker.io/library/a:1', true)).toEqual([h1]);
  expect(nodesWithTasksOf(snapshot, 'b:1')).toEqual([]);
});
