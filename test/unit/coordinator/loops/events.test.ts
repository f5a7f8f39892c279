import { describe, expect, it } from 'vitest';
import { eventOf } from '../../../../coordinator/loops/events.ts';
import type { Action } from '../../../../coordinator/plan/actions.ts';
import type { RolloutRecord } from '../../../../model/rollout-record.ts';
import { aService, aSnapshot } from '../../../support/snapshots.ts';

const service = aService();
const rollout = (state: RolloutRecord['state']): RolloutRecord => ({
  v: 1,
  epoch: 1,
  serviceId: service.id,
  revision: 2,
  specVersion: 5,
  state,
  message: `is ${state}`,
  startedAtMs: 0,
  progressAtMs: 0,
  slots: {},
});
const write = (record: RolloutRecord): Action => ({
  kind: 'put-rollout',
  key: service.id,
  record,
  expectedRevision: undefined,
  reason: record.message,
});

describe('eventOf()', () => {
  it('tells of a roll-out by name, with the state before and after', () => {
    const before = aSnapshot({ services: [service], rollouts: [rollout('updating')] });

    const event = eventOf(write(rollout('completed')), before, 7);

    expect(event).toMatchObject({ kind: 'service', id: service.id, action: 'update', atMs: 7 });
    expect(event?.attributes).toEqual({
      name: service.spec.Name,
      'updatestate.old': 'updating',
      'updatestate.new': 'completed',
      message: 'is completed',
    });
  });

  it('says nothing of progress that changes no state', () => {
    const before = aSnapshot({ services: [service], rollouts: [rollout('updating')] });

    expect(eventOf(write(rollout('updating')), before, 7)).toBeUndefined();
  });

  it('tells of a roll-back by name', () => {
    const action: Action = { kind: 'roll-back-service', key: service.id, expectedRevision: 3, reason: 'it failed' };

    expect(eventOf(action, aSnapshot({ services: [service] }), 7)?.attributes).toEqual({
      name: service.spec.Name,
      reason: 'it failed',
    });
  });
});
