import { expect, it } from 'vitest';
import { rollbackObstacle } from '../../../../coordinator/plan/rollback-obstacle.ts';
import type { PortConfig } from '../../../../model/service-spec.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

const published = (PublishedPort: number): PortConfig => ({
  Protocol: 'tcp',
  TargetPort: 80,
  PublishedPort,
  PublishMode: 'ingress',
});

it('is a port the service gave up with the update, and another has by now', () => {
  const world = new PlanWorld();
  const id = world.addService('a', 1, { EndpointSpec: { Ports: [published(8080)] } });
  world.update(id, 'v2', { EndpointSpec: { Ports: [published(8081)] } });
  const { services, ...rest } = world.snapshot();
  const other = { ...world.service(world.addService('b', 1)), ports: [published(8080)] };
  const beside = (record: typeof other) => ({
    ...rest,
    services: new Map([...services, [record.id, { key: record.id, revision: 9, writtenAtMs: 0, value: record }]]),
  });

  expect(rollbackObstacle(world.service(id), { ...rest, services })).toBeUndefined();
  expect(rollbackObstacle(world.service(id), beside(other))).toBe(
    'what was before needs the port 8080/tcp, which service b has now',
  );
  expect(rollbackObstacle(world.service(id), beside({ ...other, removedAtMs: 1 }))).toBeUndefined();
});
