import { describe, expect, it } from 'vitest';
import { discoveryTargets } from '../../../../../coordinator/api/native/service-discovery.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';

const identity = { clusterId: 'c1', advertiseAddress: '192.0.2.1', httpPort: 7700 };

function targetsOf(world: PlanWorld, role: string) {
  return discoveryTargets(world.snapshot(), identity).filter((group) => group.labels.__meta_plimsoll_role === role);
}

function setAddress(world: PlanWorld, nodeId: string, address: string): void {
  const entry = world.tables.nodes.get(nodeId);
  if (entry) world.write('nodes', nodeId, { ...entry.value, address });
}

describe('discoveryTargets()', () => {
  it('names every agent, by hostname, whatever state its node is in', () => {
    const world = new PlanWorld();
    setAddress(world, world.addNode('h2'), '192.0.2.2');
    const lost = world.addNode('h1');
    setAddress(world, lost, '192.0.2.1');
    world.setState(lost, 'lost');

    expect(targetsOf(world, 'agent').map((group) => group.targets)).toEqual([['192.0.2.1:7701'], ['192.0.2.2:7701']]);
  });

  it('names this coordinator before its host is a node, and once afterwards', () => {
    const world = new PlanWorld();
    expect(targetsOf(world, 'coordinator').map((group) => group.targets)).toEqual([['192.0.2.1:7700']]);

    setAddress(world, world.addNode('h1'), '192.0.2.1');

    const [group, ...others] = targetsOf(world, 'coordinator');
    expect(others).toEqual([]);
    expect(group).toMatchObject({ targets: ['192.0.2.1:7700'], labels: { __meta_plimsoll_node_name: 'h1' } });
  });

  it('names running tasks that carry a scrape port: at the port published on the host, else at their own address', () => {
    const world = new PlanWorld();
    setAddress(world, world.addNode('h1'), '192.0.2.1');
    const labels = { 'plimsoll.scrape.port': '9100', 'plimsoll.scrape.path': '/stats' };
    const port = { Protocol: 'tcp', TargetPort: 9100, PublishedPort: 19100 } as const;
    const published = { EndpointSpec: { Ports: [{ ...port, PublishMode: 'host' as const }] } };
    world.addService('inside', 1, { Labels: labels });
    world.addService('published', 1, { Labels: labels, ...published });
    world.addService('silent', 1);
    world.converge();
    for (const [id, { value }] of world.tables.statuses)
      world.write('statuses', id, { ...value, address: '172.17.0.9' });

    const groups = targetsOf(world, 'task');

    expect(groups.map((group) => group.targets)).toEqual([['172.17.0.9:9100'], ['192.0.2.1:19100']]);
    expect(groups[0]?.labels).toMatchObject({
      __metrics_path__: '/stats',
      __meta_plimsoll_service_name: 'inside',
      __meta_plimsoll_task_slot: '1',
      __meta_plimsoll_node_name: 'h1',
    });
  });

  it("leaves out tasks of other hosts that only have their container's address", () => {
    const world = new PlanWorld();
    setAddress(world, world.addNode('h2'), '192.0.2.2');
    world.addService('web', 1, { Labels: { 'plimsoll.scrape.port': '80' } });
    world.converge();
    for (const [id, { value }] of world.tables.statuses)
      world.write('statuses', id, { ...value, address: '172.17.0.9' });

    expect(targetsOf(world, 'task')).toEqual([]);
  });

  it('names the host port the engine chose', () => {
    const world = new PlanWorld();
    setAddress(world, world.addNode('h2'), '192.0.2.2');
    const port = { Protocol: 'tcp', TargetPort: 80, PublishMode: 'host' } as const;
    world.addService('web', 1, { Labels: { 'plimsoll.scrape.port': '80' }, EndpointSpec: { Ports: [port] } });
    world.converge();
    const hostPorts = [{ protocol: 'tcp', targetPort: 80, publishedPort: 32768 } as const];
    for (const [id, { value }] of world.tables.statuses) world.write('statuses', id, { ...value, hostPorts });

    expect(targetsOf(world, 'task').map((group) => group.targets)).toEqual([['192.0.2.2:32768']]);
  });

  it('leaves out tasks that do not run', () => {
    const world = new PlanWorld();
    world.addNode('h1');
    world.behaviours.set('broken', 'no-image');
    world.addService('web', 1, { image: 'broken', Labels: { 'plimsoll.scrape.port': '80' } });
    world.lead();
    world.runAgents();

    expect(targetsOf(world, 'task')).toEqual([]);
  });
});
