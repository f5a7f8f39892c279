import { expect, it } from 'vitest';
import { formatHistory } from '../../../../../cli/commands/history.ts';
import { serviceHistory } from '../../../../../coordinator/api/native/service-history.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';

it('tells each revision, what it changed, and which one is current', () => {
  const world = new PlanWorld();
  const id = world.addService('web', 1, { image: 'web:1' });
  world.update(id, 'web:2');
  world.rollBack(id);

  const history = serviceHistory(world.service(id));

  expect(history.revisions).toMatchObject([
    { number: 1, current: true, image: 'web:1', changes: [] },
    { number: 2, current: false, image: 'web:2', changes: ['ContainerSpec.Image: web:1 -> web:2'] },
  ]);
  const lines = formatHistory(history).split('\n');
  expect(lines[0]).toMatch(/^REVISION +SINCE \(UTC\) +IMAGE +CHANGED/);
  expect(lines[1]).toMatch(/^1 \* .*web:1/);
});
