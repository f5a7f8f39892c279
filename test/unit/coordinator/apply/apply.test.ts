import { expect, test } from 'vitest';
import { apply } from '../../../../coordinator/apply/apply.ts';
import type { Action, Chain } from '../../../../coordinator/plan/actions.ts';
import { actionsOf } from '../../../../coordinator/plan/actions.ts';
import { createLog } from '../../../../runtime/log.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryServer } from '../../../support/memory-bus.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

function aPlan(replicas: number): { world: PlanWorld; chains: readonly Chain[] } {
  const world = new PlanWorld();
  world.addNode('h1');
  world.addService('web', replicas);
  return { world, chains: world.plan().chains };
}

async function aLeader(server: MemoryServer, epoch: number) {
  const { buckets } = server.connect(`leader-${epoch}`);
  await buckets.raiseFence(epoch);
  const done: Action[] = [];
  const failed: Action[] = [];
  /** How many more writes the lease lasts. */
  const lease = { lastsForWrites: Number.POSITIVE_INFINITY };
  const run = (chains: readonly Chain[]) =>
    apply(
      { chains },
      {
        fenced: buckets.fenced({ epoch }),
        services: buckets.services,
        epoch,
        serverFences: buckets.serverFences,
        mayWrite: () => {
          lease.lastsForWrites -= 1;
          return lease.lastsForWrites >= 0;
        },
        rollBackService: async () => undefined,
        log: createLog('test', 'silent'),
        onDone: (action) => done.push(action),
        onFailed: (action) => failed.push(action),
      },
    );
  return { buckets, done, failed, lease, run };
}

test('apply() carries every action out under its epoch and says what it wrote', async () => {
  const leader = await aLeader(new MemoryServer({ clock: new FakeClock() }), 7);
  const { chains } = aPlan(40);

  const written = await leader.run(chains);

  const tasks = await leader.buckets.tasks.watch();
  expect(tasks.entries.size).toBe(40);
  expect([...tasks.entries.values()].every((entry) => entry.value.epoch === 7)).toBe(true);
  expect(written.failures).toBe(0);
  expect(written.revisions.get('tasks')).toBe(tasks.revision);
});

test('apply() ends a chain at its first failure and goes on with the others', async () => {
  const leader = await aLeader(new MemoryServer({ clock: new FakeClock() }), 1);
  const { chains } = aPlan(3);
  const [slot] = actionsOf({ chains });
  if (slot?.kind === 'put-slot') await leader.buckets.slots.create(slot.key, { ...slot.record, tasksMade: 9 });

  const written = await leader.run(chains);

  expect(written.failures).toBe(1);
  expect(leader.failed.map((action) => action.kind)).toEqual(['put-slot']);
  expect(leader.done.filter((action) => action.kind === 'create-task')).toHaveLength(2);
});

test('apply() of a former leader changes nothing', async () => {
  const server = new MemoryServer({ clock: new FakeClock() });
  const former = await aLeader(server, 1);
  const { chains } = aPlan(3);
  const next = await aLeader(server, 2);

  const written = await former.run(chains);

  expect(written.failures).toBe(3);
  expect((await next.buckets.tasks.watch()).entries.size).toBe(0);
});

test("apply() writes nothing more once the lease may be another leader's", async () => {
  const leader = await aLeader(new MemoryServer({ clock: new FakeClock() }), 1);
  const { chains } = aPlan(1);
  leader.lease.lastsForWrites = 1;

  await leader.run(chains);

  expect(leader.done.map((action) => action.kind)).toEqual(['put-slot']);
  expect((await leader.buckets.tasks.watch()).entries.size).toBe(0);
});

test('apply() asks for the lease before each single write where nothing else stops a former leader', async () => {
  const leader = await aLeader(new MemoryServer({ clock: new FakeClock(), serverFences: false }), 1);
  const { chains } = aPlan(40);
  leader.lease.lastsForWrites = 5;

  await leader.run(chains);

  expect(leader.done).toHaveLength(5);
});
