import { expect, test } from 'vitest';
import { probeNode } from '../../../../coordinator/loops/probes.ts';
import { probeTcp } from '../../../../runtime/tcp-probe.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

test('a node whose record names a port that is none cannot be reached, and nothing breaks', async () => {
  const world = new PlanWorld();
  const id = world.addNode('h1');
  const entry = world.tables.nodes.get(id);
  if (entry) world.write('nodes', id, { ...entry.value, agentPort: 70_000 });
  const nobody = {
    askNode: async () => {
      throw new Error('nobody is asked');
    },
  };

  const outcome = await probeNode(id, world.snapshot(), { bus: nobody, probe: probeTcp });

  expect(outcome).toBe('unreachable');
});
