import { describe, expect, it } from 'vitest';
import { withRevisionOf } from '../../../../coordinator/wishes/revisions.ts';
import type { ServiceSpec } from '../../../../model/service-spec.ts';
import { aSpec } from '../../../support/snapshots.ts';

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

  it('keeps the last ten', () => {
    let history = first;
    for (let number = 2; number <= 15; number++) history = withRevisionOf(image(`a:${number}`), history, number);
    expect(history.revisions.map(({ number }) => number)).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });
});
