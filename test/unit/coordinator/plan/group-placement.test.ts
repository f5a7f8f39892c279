/** The heap of GroupPlacement against the plain rule it has to follow: look at every node, take the lowest score. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeFilters, type Requirements, requirementsOf, roomFilters } from '../../../../coordinator/plan/filters.ts';
import { NodeBoard } from '../../../../coordinator/plan/node-board.ts';
import { nodeOf, type PlanNode } from '../../../../coordinator/plan/nodes.ts';
import { type Load, Occupancy } from '../../../../coordinator/plan/occupancy.ts';
import { FAILURES_TO_AVOID_NODE, GroupPlacement } from '../../../../coordinator/plan/placement.ts';
import { selectBest } from '../../../../coordinator/plan/selection.ts';
import type { TaskTemplate } from '../../../../model/service-spec.ts';
import { PlanWorld } from '../../../support/plan-world.ts';

const MEBIBYTE = 2 ** 20;

const nodes = fc.array(
  fc.record({
    zone: fc.constantFrom('a', 'b', 'c'),
    rack: fc.constantFrom('1', '2'),
    memoryMiB: fc.constantFrom(64, 128, 256),
    state: fc.constantFrom('ready' as const, 'ready' as const, 'ready' as const, 'suspect' as const),
  }),
  { minLength: 1, maxLength: 9 },
);

/** What happens between two tasks of the group: loads of others come and go, and a slot has its own past. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('place' as const), failed: fc.array(fc.nat(8), { maxLength: 3 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('place-but-for' as const), not: fc.nat(8) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), which: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('load' as const), on: fc.nat(8) }) },
  ),
  { maxLength: 40 },
);

/** What the nodes carry before: some of it has the image, all of it so little that shares differ within a tenth. */
const loadsBefore = fc.array(fc.record({ on: fc.nat(8), image: fc.constantFrom('good', 'other') }), { maxLength: 12 });
const small = (Image: string): TaskTemplate => ({
  ContainerSpec: { Image },
  Resources: { Reservations: { MemoryBytes: MEBIBYTE } },
});

const templates = fc.record({
  ContainerSpec: fc.constant({ Image: 'good' }),
  Resources: fc.record({ Reservations: fc.record({ MemoryBytes: fc.constantFrom(0, 16 * MEBIBYTE) }) }),
  Placement: fc.record({
    Constraints: fc.constantFrom([], ['node.labels.zone!=c']),
    MaxReplicas: fc.constantFrom(0, 3),
    Preferences: fc.constantFrom(
      [],
      [{ Spread: { SpreadDescriptor: 'node.labels.zone' } }],
      [{ Spread: { SpreadDescriptor: 'node.labels.zone' } }, { Spread: { SpreadDescriptor: 'node.labels.rack' } }],
    ),
  }),
}) satisfies fc.Arbitrary<TaskTemplate>;

/** A load of others takes one of the best nodes that are held: one more is needed for the last task. */
const threeAlike = Array.from({ length: 3 }, () => ({ zone: 'a', rack: '1', memoryMiB: 64, state: 'ready' }) as const);
const anyNode = {
  ContainerSpec: { Image: 'good' as const },
  Resources: { Reservations: { MemoryBytes: 0 } },
  Placement: { Constraints: [] as [], MaxReplicas: 0 as const, Preferences: [] as [] },
};
const otherLoadFirst = [
  { kind: 'load' as const, on: 0 },
  { kind: 'place' as const, failed: [] },
  { kind: 'place' as const, failed: [] },
];

type Accepts = (node: PlanNode) => boolean;

function loadOn(nodeId: string, serviceId: string, template: TaskTemplate): Load {
  return { nodeId, serviceId, template, ports: [], desired: 'running' };
}

function planNodesOf(world: PlanWorld): PlanNode[] {
  const snapshot = world.snapshot();
  return [...snapshot.nodes.keys()].sort().map((id) => nodeOf(snapshot, id, world.now));
}

function labelPath(node: PlanNode, template: TaskTemplate, levels: number): string {
  const preferences = (template.Placement?.Preferences ?? []).slice(0, levels);
  return preferences.map(({ Spread }) => node.spec?.labels[Spread?.SpreadDescriptor.slice(12) ?? '']).join('/');
}

/** The rule as one would say it: score every node that passes all filters, take the lowest, the first of equals. */
class PlainPlacement {
  private readonly nodes: readonly PlanNode[];
  private readonly template: TaskTemplate;
  private readonly wants: Requirements;
  private readonly occupancy: Occupancy;

  constructor(nodes: readonly PlanNode[], template: TaskTemplate, wants: Requirements, occupancy: Occupancy) {
    this.nodes = nodes.filter((node) =>
      nodeFilters.every((filter) => filter.allows(node, occupancy.use(node.id), wants)),
    );
    this.template = template;
    this.wants = wants;
    this.occupancy = occupancy;
  }

  place(failures: Readonly<Record<string, number>>, accepts: Accepts): string | undefined {
    const fit = this.nodes.filter((node) => accepts(node) && this.hasRoom(node));
    const scored = fit.map((node) => ({ id: node.id, score: this.score(node, failures) }));
    return scored.sort((a, b) => compareFromTheLeft(a.score, b.score))[0]?.id;
  }

  private hasRoom(node: PlanNode): boolean {
    return roomFilters.every((filter) => filter.allows(node, this.occupancy.use(node.id), this.wants));
  }

  private score(node: PlanNode, failures: Readonly<Record<string, number>>): number[] {
    const use = this.occupancy.use(node.id);
    const levels = (this.template.Placement?.Preferences ?? []).map((_, level) => level + 1);
    return [
      (failures[node.id] ?? 0) >= FAILURES_TO_AVOID_NODE ? 1 : 0,
      ...levels.map((level) => this.copiesBeside(node, level)),
      this.copies(node),
      use.tasks,
      Math.floor((10 * use.memoryBytes) / (node.record?.resources.memoryBytes ?? 1)),
      use.images.has(this.wants.image) ? 0 : 1,
      use.memoryBytes / (node.record?.resources.memoryBytes ?? 1),
    ];
  }

  private copiesBeside(node: PlanNode, levels: number): number {
    const path = labelPath(node, this.template, levels);
    const branch = this.nodes.filter((other) => labelPath(other, this.template, levels) === path);
    return branch.reduce((sum, other) => sum + this.copies(other), 0);
  }

  private copies(node: PlanNode): number {
    return this.occupancy.use(node.id).byService.get(this.wants.serviceId) ?? 0;
  }
}

function compareFromTheLeft(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

test('the heap chooses the node that a look at every node would choose', () => {
  fc.assert(
    fc.property(nodes, loadsBefore, templates, steps, (descriptions, before, template, happenings) => {
      const world = new PlanWorld();
      for (const [index, { zone, rack, memoryMiB, state }] of descriptions.entries()) {
        const id = world.addNode(`h${index}`, { labels: { zone, rack }, memoryBytes: memoryMiB * MEBIBYTE });
        world.setState(id, state);
      }
      const planNodes = planNodesOf(world);
      const wants = requirementsOf('web', template, []);
      const occupancy = new Occupancy();
      const board = new NodeBoard(planNodes, occupancy);
      const idOf = (index: number) => planNodes[index % planNodes.length]?.id ?? '';
      for (const { on, image } of before) occupancy.add(loadOn(idOf(on), 'other', small(image)));
      const placement = new GroupPlacement({
        board,
        wants,
        occupancy,
        tasks: 2,
        failing: new Set(),
      });
      const plain = new PlainPlacement(planNodes, template, wants, occupancy);
      const placed: Load[] = [];
      const place = (failures: Readonly<Record<string, number>>, only?: Accepts) => {
        const choice = placement.place(failures, only);
        const nodeId = 'nodeId' in choice ? choice.nodeId : undefined;
        expect(nodeId).toBe(plain.place(failures, only ?? (() => true)));
        if (nodeId === undefined) return;
        placed.push(loadOn(nodeId, 'web', template));
        occupancy.add(loadOn(nodeId, 'web', template));
      };
      for (const step of happenings) {
        if (step.kind === 'load') occupancy.add(loadOn(idOf(step.on), 'other', template));
        if (step.kind === 'place')
          place(Object.fromEntries(step.failed.map((at) => [idOf(at), FAILURES_TO_AVOID_NODE])));
        if (step.kind === 'place-but-for') place({}, (node) => node.id !== idOf(step.not));
        if (step.kind === 'release') for (const load of placed.splice(step.which, 1)) occupancy.release(load);
      }
    }),
    { numRuns: 300, examples: [[threeAlike, [], anyNode, otherLoadFirst]] },
  );
});

test('a refusal is told anew once the load of a node has changed', () => {
  const world = new PlanWorld();
  world.addNode('h1', { memoryBytes: 32 * MEBIBYTE });
  const template = {
    ContainerSpec: { Image: 'good' },
    Resources: { Reservations: { MemoryBytes: 16 * MEBIBYTE } },
    Placement: { MaxReplicas: 1 },
  };
  const planNodes = planNodesOf(world);
  const occupancy = new Occupancy();
  const placement = new GroupPlacement({
    board: new NodeBoard(planNodes, occupancy),
    wants: requirementsOf('web', template, []),
    occupancy,
    tasks: 2,
    failing: new Set(),
  });
  const [nodeId = ''] = planNodes.map((node) => node.id);
  occupancy.add(loadOn(nodeId, 'web', template));

  const full = placement.place({});
  occupancy.add(loadOn(nodeId, 'other', template));
  const fuller = placement.place({});
  occupancy.release(loadOn(nodeId, 'web', template));
  const free = placement.place({});

  expect(full).toMatchObject({ refusal: { code: 'max-replicas' } });
  expect(fuller).toMatchObject({ refusal: { code: 'resources' } });
  expect(free).toEqual({ nodeId });
});

test('of nodes that are equal and have the image, a group holds no more than it has tasks', () => {
  const world = new PlanWorld();
  for (let index = 0; index < 50; index += 1) world.addNode(`h${index}`);
  const planNodes = planNodesOf(world);
  const occupancy = new Occupancy();
  const board = new NodeBoard(planNodes, occupancy);
  for (const { id } of planNodes) occupancy.add(loadOn(id, 'other', small('good')));
  board.catchUp();
  const wants = requirementsOf('web', small('good'), []);

  const found = selectBest({ board, occupancy, wants, filters: [], failing: new Set() }, 3);

  expect([...found].map(({ node }) => node.id)).toEqual(planNodes.slice(0, 3).map(({ id }) => id));
});
