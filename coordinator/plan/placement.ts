/** Where a task runs: filters first, then spread. One pass over the nodes per group of identical tasks, then a heap. */
import type { PendingCode } from '../../model/records.ts';
import type { TaskTemplate } from '../../model/service-spec.ts';
import { type Candidate, CandidateHeap, compareCandidates } from './candidate-heap.ts';
import { type Filter, nodeFilters, type Requirements, roomFilters } from './filters.ts';
import type { PlanNode } from './nodes.ts';
import type { Occupancy } from './occupancy.ts';
import { type Branch, SpreadTree } from './spread-tree.ts';

/** From this many failures in a row of a slot at a revision, a node is the last choice for it. */
export const FAILURES_TO_AVOID_NODE = 5;

/** Why no node will do: for people, and what keeps most of them from it in a word. */
export interface Refusal {
  readonly reason: string;
  readonly code: PendingCode;
}

export type PlacementResult = { readonly nodeId: string } | { readonly refusal: Refusal };

/** The nodes a filter turned away. */
interface TurnedAway {
  readonly filter: Filter;
  readonly nodes: PlanNode[];
}

/** Places the tasks of one service at one revision, one after the other, on nodes that passed the node filters. */
export class GroupPlacement {
  private readonly candidates = new Map<string, { readonly candidate: Candidate; readonly leaf: Leaf }>();
  private readonly leaves = new Map<string, Leaf>();
  private readonly turnedAway = new Map<string, TurnedAway>();
  private readonly wants: Requirements;
  private readonly occupancy: Occupancy;
  private readonly tree: SpreadTree;
  /** How many of the occupancy's changes the scores take into account. */
  private changesSeen: number;
  /** Why the last task found no place; stays true until something changes. */
  private lastRefusal: Refusal | undefined;

  constructor(nodes: Iterable<PlanNode>, wants: Requirements, template: TaskTemplate, occupancy: Occupancy) {
    this.wants = wants;
    this.occupancy = occupancy;
    this.tree = new SpreadTree(template.Placement?.Preferences ?? []);
    this.changesSeen = occupancy.changes.length;
    for (const node of nodes) this.sort(node);
  }

  /** The best node for one more task, or why there is none. `failures` are the slot's own, by node. */
  place(failures: Readonly<Record<string, number>>, only?: (node: PlanNode) => boolean): PlacementResult {
    this.catchUp();
    const accepts = only ?? (() => true);
    const isAvoided = (node: PlanNode) => (failures[node.id] ?? 0) >= FAILURES_TO_AVOID_NODE;
    const best = this.best((node) => accepts(node) && !isAvoided(node)) ?? this.best(accepts);
    if (best) return { nodeId: best.id };
    if (only) return { refusal: this.refusal(only) };
    this.lastRefusal ??= this.refusal(accepts);
    return { refusal: this.lastRefusal };
  }

  private sort(node: PlanNode): void {
    if (node.removed) return;
    const use = this.occupancy.use(node.id);
    const refusing = nodeFilters.find((filter) => !filter.allows(node, use, this.wants));
    if (refusing) return note(this.turnedAway, refusing, node);
    const candidate = { node, use, index: this.candidates.size, copies: 0, tasks: 0, memoryShare: 0, position: -1 };
    const leaf = this.leafOf(node);
    this.candidates.set(node.id, { candidate, leaf });
    this.rate(candidate, leaf);
  }

  private leafOf(node: PlanNode): Leaf {
    const branch = this.tree.branchOf(node);
    const known = this.leaves.get(branch.path);
    if (known) return known;
    const leaf = { branch, heap: new CandidateHeap() };
    this.leaves.set(branch.path, leaf);
    return leaf;
  }

  /** Rates those nodes again whose load has changed since the last task was placed. */
  private catchUp(): void {
    const { changes } = this.occupancy;
    for (; this.changesSeen < changes.length; this.changesSeen += 1) {
      const known = this.candidates.get(changes[this.changesSeen] ?? '');
      if (known) this.rate(known.candidate, known.leaf);
      this.lastRefusal = undefined;
    }
  }

  private rate(candidate: Candidate, { branch, heap }: Leaf): void {
    const { node, use } = candidate;
    const copies = use.byService.get(this.wants.serviceId) ?? 0;
    this.tree.add(branch, copies - candidate.copies);
    candidate.copies = copies;
    candidate.tasks = use.tasks;
    candidate.memoryShare = use.memoryBytes / (node.record?.resources.memoryBytes || 1);
    const isIn = candidate.position >= 0;
    if (this.lackOf(candidate)) {
      if (isIn) heap.remove(candidate);
    } else if (isIn) heap.restore(candidate);
    else heap.add(candidate);
  }

  private lackOf({ node, use }: Candidate): Filter | undefined {
    return roomFilters.find((filter) => !filter.allows(node, use, this.wants));
  }

  /** Of the best nodes of all branches the one whose branch has the fewest tasks, seen from the trunk. */
  private best(accepts: (node: PlanNode) => boolean): PlanNode | undefined {
    let best: { readonly candidate: Candidate; readonly branch: Branch } | undefined;
    for (const { branch, heap } of this.leaves.values()) {
      const candidate = heap.best(({ node }) => accepts(node));
      if (!candidate) continue;
      const difference = best
        ? this.tree.compare(branch, best.branch) || compareCandidates(candidate, best.candidate)
        : -1;
      if (difference < 0) best = { candidate, branch };
    }
    return best?.candidate.node;
  }

  private refusal(accepts: (node: PlanNode) => boolean): Refusal {
    const refused = new Map(
      [...this.turnedAway].map(([name, { filter, nodes }]) => [name, { filter, nodes: [...nodes] }]),
    );
    for (const { candidate } of this.candidates.values()) {
      const lack = accepts(candidate.node) ? this.lackOf(candidate) : undefined;
      if (lack) note(refused, lack, candidate.node);
    }
    return refusalOf(refused, this.wants);
  }
}

/** The nodes that share all labels of the spread preferences. */
interface Leaf {
  readonly branch: Branch;
  readonly heap: CandidateHeap;
}

function note(turnedAway: Map<string, TurnedAway>, filter: Filter, node: PlanNode): void {
  const known = turnedAway.get(filter.name);
  if (known) known.nodes.push(node);
  else turnedAway.set(filter.name, { filter, nodes: [node] });
}

/** "no suitable node (...)", the reason of most nodes first: the prefix is Swarm's. */
function refusalOf(turnedAway: ReadonlyMap<string, TurnedAway>, wants: Requirements): Refusal {
  const sorted = [...turnedAway.values()].sort((a, b) => b.nodes.length - a.nodes.length);
  const reasons = sorted.map(({ filter, nodes }) => filter.explain(nodes, wants));
  const reason = `no suitable node (${reasons.join('; ') || 'the cluster has no nodes'})`;
  return { reason, code: sorted[0]?.filter.code ?? 'no-nodes' };
}
