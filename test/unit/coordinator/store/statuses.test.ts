import { expect, test } from 'vitest';
import { openStore } from '../../../../coordinator/store/store.ts';
import { randomId } from '../../../../runtime/identifiers.ts';
import { aStatusRecord } from '../../../support/docker-api-server.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { MemoryServer } from '../../../support/memory-bus.ts';
import { aTask } from '../../../support/tasks.ts';

test('what a node says of a task of another one hides nothing that its own node says', async () => {
  const clock = new FakeClock();
  const { buckets } = new MemoryServer({ clock }).connect();
  const store = await openStore({ buckets, clock });
  const task = aTask();
  const genuine = aStatusRecord(task);
  const forged = { ...genuine, nodeId: randomId(), removed: true };
  await buckets.tasks.create(`${task.nodeId}.${task.id}`, task);

  for (const said of [genuine, forged]) {
    const written = await buckets.statuses.put(`${said.nodeId}.${said.taskId}`, said);
    await store.reached('statuses', written);
  }

  expect(store.snapshot().statuses.get(task.id)?.value).toEqual(genuine);
  await store.close();
});
