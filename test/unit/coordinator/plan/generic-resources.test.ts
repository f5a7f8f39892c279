import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../../model/service-spec.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

const GPUS = { kind: 'gpu', count: 2, names: ['G2', 'G1'] };
const LICENCES = { kind: 'licence', count: 3, names: [] };

let world: PlanWorld;

beforeEach(() => {
  world = new PlanWorld();
  world.addNode('plain');
});

function reserving(wanted: Readonly<Record<string, number>>): Pick<ServiceSpec, 'TaskTemplate'> {
  const GenericResources = Object.entries(wanted).map(([Kind, Value]) => ({ DiscreteResourceSpec: { Kind, Value } }));
  return {
    TaskTemplate: { ContainerSpec: { Image: 'good' }, Resources: { Reservations: { GenericResources } } },
  };
}

const namesOf = (id: string) => world.live(id).flatMap(({ generic = [] }) => generic.flatMap(({ names }) => names));
const pendingOf = (id: string, slot: number) => world.tables.slots.get(`${id}.${slot}`)?.value.pending;

describe('generic resources', () => {
  it('go to the tasks that reserve them, on nodes that have them, each name once', () => {
    const node = world.addNode('rich', { generic: [GPUS, LICENCES] });
    const web = world.addService('web', 2, reserving({ gpu: 1, licence: 1 }));
    world.converge();

    expect(world.live(web).map(({ nodeId }) => nodeId)).toEqual([node, node]);
    expect(namesOf(web).sort()).toEqual(['G1', 'G2']);
    expect(world.live(web)[0]?.generic).toContainEqual({ kind: 'licence', count: 1, names: [] });
  });

  it('that are all taken let a task wait, which says so, until they are free', () => {
    world.addNode('rich', { generic: [GPUS] });
    const first = world.addService('first', 1, reserving({ gpu: 2 }));
    world.converge();
    const second = world.addService('second', 1, reserving({ gpu: 1 }));
    world.converge();
    expect(pendingOf(second, 1)).toMatchObject({
      code: 'resources',
      reason: 'no suitable node (insufficient resources on 2 nodes; wants 1 gpu)',
    });

    world.remove(first);
    world.converge();

    expect(namesOf(second)).toEqual(['G2']);
  });

  it('nobody has cannot be reserved, not even none of them', () => {
    world.addNode('rich', { generic: [GPUS] });
    const web = world.addService('web', 1, reserving({ licence: 0 }));
    world.converge();

    expect(pendingOf(web, 1)?.reason).toContain('wants 0 licence');
  });

  it('are handed on to the task that takes the place of another', () => {
    world.addNode('rich', { generic: [GPUS] });
    const web = world.addService('web', 2, reserving({ gpu: 1 }));
    world.converge();

    world.update(web, 'better');
    world.converge();

    expect(world.live(web).map(({ revision }) => revision)).toEqual([2, 2]);
    expect(namesOf(web).sort()).toEqual(['G1', 'G2']);
  });

  it('stay with a task whose assignment was lost and is written again', () => {
    world.addNode('rich', { generic: [GPUS] });
    const web = world.addService('web', 2, reserving({ gpu: 1 }));
    world.converge();
    const before = new Map(world.live(web).map(({ slot, generic }) => [slot, generic]));

    world.tables.tasks.clear();
    world.converge();

    expect(new Map(world.live(web).map(({ slot, generic }) => [slot, generic]))).toEqual(before);
  });
});
