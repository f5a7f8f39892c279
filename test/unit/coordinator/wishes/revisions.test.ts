import { describe, expect, it, test } from 'vitest';
import { revisionsInUse, withRevisionOf } from '../../../../coordinator/wishes/revisions.ts';
import type { ServiceSpec } from '../../../../model/service-spec.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { aTaskRecord } from '../../../support/docker-api-server.ts';
import { aService, aSlot, aSnapshot, aSpec } from '../../../support/snapshots.ts';

const image = (Image: string, rest: Partial<ServiceSpec['TaskTemplate']> = {}): ServiceSpec =>
  aSpec({ TaskTemplate: { ContainerSpec: { Image }, ...rest } });

describe('withRevisionOf()', () => {
  const first = withRevisionOf(image('a:1'), undefined, 1);
  const second = withRevisionOf(image('a:2'), first, 2);

  it('counts up when tasks must change', () => {
    expect([first.revision, second.revision]).toEqual([1, 2]);
    expect(withRevisionOf(image('a:2', { ForceUpdate: 1 }), second, 3).revision).toBe(3);
  });

  it('keeps the number and its time when tasks stay as they are', () => {
    const labelled = withRevisionOf({ ...image('a:2'), Labels: { a: 'b' } }, second, 9);
    expect(labelled).toEqual(second);
  });

  it('restarts nothing for placement alone, and keeps the new words', () => {
    const moved = withRevisionOf(image('a:2', { Placement: { Constraints: ['node.role==worker'] } }), second, 9);
    expect(moved.revision).toBe(2);
    expect(moved.revisions.at(-1)).toMatchObject({
      createdAtMs: 2,
      taskTemplate: { Placement: { Constraints: ['node.role==worker'] } },
    });
  });

  it('gives a specification that was there before its number back, newest last', () => {
    const back = withRevisionOf(image('a:1'), second, 3);
    expect(back.revision).toBe(1);
    expect(back.revisions.map(({ number, createdAtMs }) => [number, createdAtMs])).toEqual([
      [2, 2],
      [1, 3],
    ]);
    expect(withRevisionOf(image('a:3'), back, 4).revision).toBe(3);
  });

  it('sees a change of ports, not of how their absence is written', () => {
    const ports = [{ Protocol: 'tcp', TargetPort: 80, PublishMode: 'ingress' }] as const;
    expect(withRevisionOf({ ...image('a:2'), EndpointSpec: { Ports: [...ports] } }, second, 3).revision).toBe(3);
    expect(withRevisionOf({ ...image('a:2'), EndpointSpec: { Mode: 'vip' } }, second, 3).revision).toBe(2);
  });

  it('gives no number again that a task has, though the history came back older than it was', () => {
    expect(withRevisionOf(image('a:3'), first, 3, [1, 2]).revision).toBe(3);
    expect(withRevisionOf(image('a:1'), first, 3, [2]).revision).toBe(1);
  });

  it('keeps the last ten', () => {
    let history = first;
    for (let number = 2; number <= 15; number++) history = withRevisionOf(image(`a:${number}`), history, number);
    expect(history.revisions.map(({ number }) => number)).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });
});

test('revisionsInUse() looks at the tasks of a service and at what its slots were assigned', () => {
  const service = aService();
  const nodeId = derivedId('node', 'h1');
  const tasks = [
    { ...aTaskRecord(service, 1, nodeId), revision: 4 },
    { ...aTaskRecord(aService({ id: derivedId('service', 'another') }), 1, nodeId), revision: 9 },
  ];
  const slots = [aSlot(service, { assigned: [{ taskId: derivedId('task', 2), nodeId, revision: 5 }] })];

  expect(revisionsInUse(service.id, aSnapshot({ tasks, slots }))).toEqual([4, 5]);
});
