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

  it('leads to agents through this coordinator when asked to, and to nothing else', () => {
    const world = new PlanWorld();
    const node = world.addNode('h2');
    setAddress(world, node, '192.0.2.2');

    const groups = discoveryTargets(world.snapshot(), identity, 'coordinator');

    expect(groups.map(({ targets }) => targets)).toEqual([['192.0.2.1:7700'], ['192.0.2.1:7700']]);
    expect(groups[0]?.labels).toMatchObject({
      __meta_plimsoll_role: 'agent',
      __meta_plimsoll_node_name: 'h2',
      __metrics_path__: `/v1/nodes/${node}/metrics`,
    });
    expect(groups[1]?.labels).not.toHaveProperty('__metrics_path__');
  });

  it('is the same to the byte for the same state, in whatever order that became known', () => {
    const [world, other] = [new PlanWorld(), new PlanWorld()];
    const labels = { 'plimsoll.scrape.port': '80' };
    const EndpointSpec = {
      Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' } as const],
    };
    for (const name of ['h1', 'h2', 'h3']) world.addNode(name);
    for (const name of ['h3', 'h1', 'h2']) other.addNode(name);
    for (const each of [world, other]) {
      each.addService('web', 0, { Labels: labels, EndpointSpec, Mode: { Global: {} } });
      each.converge();
    }
    const turned = [...other.tables.tasks].toReversed();
    other.tables.tasks.clear();
    for (const [id, entry] of turned) other.tables.tasks.set(id, entry);

    const bytes = (each: PlanWorld) => JSON.stringify(discoveryTargets(each.snapshot(), identity));
    expect(bytes(other)).toBe(bytes(world));
    expect(bytes(world)).toContain('"__meta_plimsoll_role":"task"');
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
