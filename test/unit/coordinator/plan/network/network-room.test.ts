/** Which nodes have an address left while a group of tasks is placed, and what it costs to know. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Requirements, requirementsOf } from '../../../../../coordinator/plan/filters.ts';
import { NetworkRooms } from '../../../../../coordinator/plan/network/network-room.ts';
import { NodeBoard } from '../../../../../coordinator/plan/node-board.ts';
import { nodeOf, type PlanNode } from '../../../../../coordinator/plan/nodes.ts';
import { type Load, Occupancy } from '../../../../../coordinator/plan/occupancy.ts';
import { GroupPlacement } from '../../../../../coordinator/plan/placement.ts';
import type { Snapshot } from '../../../../../coordinator/store/snapshot.ts';
import type { TaskTemplate } from '../../../../../model/service-spec.ts';
import { derivedId } from '../../../../../runtime/identifiers.ts';
import { PlanWorld } from '../../../../support/plan-world.ts';

const networkId = derivedId('network');
const template: TaskTemplate = { ContainerSpec: { Image: 'good' }, Networks: [{ Target: networkId }] };

/** A cluster with one network; the first so many nodes have been given a range of it each. */
class Cluster {
  readonly nodes: readonly PlanNode[];
  private readonly snapshot: Snapshot;

  constructor(nodes: number, subnet: string, given: readonly string[] = []) {
    const world = new PlanWorld();
    const ids = Array.from({ length: nodes }, (_, index) => world.addNode(`h${index}`));
    const network = { id: networkId, name: 'back', internal: false };
    world.write('networks', networkId, { v: 1, ...network, labels: {}, options: {}, subnet, createdAtMs: 0 });
    for (const [index, range] of given.entries()) {
      const nodeId = ids[index] ?? '';
      const place = { nodeId, nodeAddress: '192.0.2.1', subnets: [range] };
      world.write('nets', `subnet.${networkId}.${nodeId}`, { v: 1, epoch: 1, kind: 'subnet', network, ...place });
    }
    this.snapshot = world.snapshot();
    this.nodes = [...ids].sort().map((id) => nodeOf(this.snapshot, id, world.now));
  }

  wants(occupancy: Occupancy, tasks: number): Requirements {
    const rooms = new NetworkRooms(this.snapshot).of(template, occupancy, { tasks, nodes: this.nodes.length });
    return requirementsOf('web', template, [], { near: [], apart: [], networks: rooms, encrypted: [] });
  }
}

function loadOn(nodeId: string): Load {
  return { nodeId, serviceId: 'web', template, ports: [], desired: 'running' };
}

test('what is known of the addresses while tasks come and go is what a look at all nodes anew would find', () => {
  const steps = fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constant('place' as const) }, { weight: 1, arbitrary: fc.nat(30) }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, fc.constantFrom([], ['10.50.0.0/29'], ['10.50.0.0/29', '10.50.0.8/29']), (happenings, given) => {
      const cluster = new Cluster(3, '10.50.0.0/27', given);
      const occupancy = new Occupancy();
      const placementNow = () => {
        const board = new NodeBoard(cluster.nodes, occupancy);
        return new GroupPlacement({
          board,
          wants: cluster.wants(occupancy, 60),
          occupancy,
          tasks: 60,
          failing: new Set(),
        });
      };
      const placement = placementNow();
      const placed: Load[] = [];
      for (const step of happenings) {
        if (step !== 'place') {
          for (const load of placed.splice(step, 1)) occupancy.release(load);
          continue;
        }
        const choice = placement.place({});
        expect(choice).toEqual(placementNow().place({}));
        if (!('nodeId' in choice)) continue;
        placed.push(loadOn(choice.nodeId));
        occupancy.add(loadOn(choice.nodeId));
      }
    }),
    { numRuns: 100 },
  );
});

test('a task more asks few nodes for an address, however many there are', () => {
  const tasks = 3_000;
  const cluster = new Cluster(1_000, '10.60.0.0/16');
  const { nodes } = cluster;
  const occupancy = new Occupancy();
  const wants = cluster.wants(occupancy, tasks);
  let asked = 0;
  const counted = wants.networks.map((room) => ({
    text: room.text,
    addressesOf: (nodeId: string) => room.addressesOf(nodeId),
    supply: () => room.supply(),
    hasAddress: (use: Parameters<typeof room.hasAddress>[0]) => {
      asked += 1;
      return room.hasAddress(use);
    },
  }));
  expect(counted).toHaveLength(1);
  let looks = 0;
  const nodesOnNetwork = occupancy.nodesOnNetwork.bind(occupancy);
  occupancy.nodesOnNetwork = (id) => {
    looks += 1;
    return nodesOnNetwork(id);
  };

  const board = new NodeBoard(nodes, occupancy);
  const group = new GroupPlacement({
    board,
    wants: { ...wants, networks: counted },
    occupancy,
    tasks,
    failing: new Set(),
  });
  for (let placed = 0; placed < tasks; placed += 1) {
    const choice = group.place({});
    if ('nodeId' in choice) occupancy.add(loadOn(choice.nodeId));
  }

  expect([...occupancy.nodesOf('web')]).toHaveLength(nodes.length);
  expect(asked).toBeLessThan(nodes.length + 2 * tasks);
  expect(looks).toBeLessThan(10);
});
