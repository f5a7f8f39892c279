import { describe, expect, it } from 'vitest';
import { taskByReference } from '../../../../../coordinator/api/docker/references.ts';
import { attemptId } from '../../../../../runtime/identifiers.ts';
import { aStatusRecord, aTaskRecord, nodeIdOf } from '../../../../support/docker-api-server.ts';
import { aService, aSnapshot } from '../../../../support/snapshots.ts';

const service = aService();
const tasks = [aTaskRecord(service, 1, nodeIdOf('h1')), aTaskRecord(service, 2, nodeIdOf('h2'))] as const;
const [first, second] = tasks;
const failed = {
  attempt: 1,
  containerId: 'c1',
  exitCode: 1,
  oomKilled: false,
  error: '',
  finishedAtMs: 500,
  state: 'failed',
} as const;
const statuses = [aStatusRecord(first, {}), aStatusRecord(second, { attempt: 2, exits: [failed] })];
const snapshot = aSnapshot({ services: [service], tasks, statuses });
const found = (reference: string) => taskByReference(snapshot, reference);

describe('taskByReference()', () => {
  it('finds what runs by its id', () => {
    expect(found(first.id)).toMatchObject({ ID: first.id, Slot: 1, Status: { State: 'running' } });
    expect(found(attemptId(second.id, 2))).toMatchObject({ Slot: 2, Status: { State: 'running' } });
  });

  it('finds an attempt that is over by its id', () => {
    expect(found(second.id)).toMatchObject({ ID: second.id, Slot: 2, Status: { State: 'failed' } });
  });

  it('finds by name and by the beginning of an id', () => {
    expect(found(`web.1.${first.id}`).ID).toBe(first.id);
    expect(found(first.id.slice(0, 20)).ID).toBe(first.id);
  });

  it('finds no task of a service that was removed, and none that is not there', () => {
    const removed = aSnapshot({ services: [{ ...service, removedAtMs: 1 }], tasks, statuses });

    expect(() => taskByReference(removed, first.id)).toThrow(`task ${first.id} not found`);
    expect(() => found('nobody')).toThrow('task nobody not found');
  });
});
