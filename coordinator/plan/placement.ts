/** Where a task runs: filters first, then the lowest score. One look at the nodes per group of identical tasks, then a heap. */
import type { NodeVerdict } from '../../model/placement-table.ts';
import type { PendingCode } from '../../model/slot-record.ts';
import { type Candidate, CandidateHeap, compareCandidates } from './candidate-heap.ts';
import { type Filter, nodeFilters, type Requirements, roomFilters } from './filters.ts';
import type { BoardNode, NodeBoard } from './node-board.ts';
import type { PlanNode } from './nodes.ts';
import type { Occupancy } from './occupancy.ts';
import { candidateOf, hasRoom, type Question, rate, selectBest } from './selection.ts';
import { type Branch, SpreadTree } from './spread-tree.ts';
import { verdictsOf } from './verdicts.ts';

/** From this many failures in a row of a slot at a revision, a node is the last choice for it. */
export const FAILURES_TO_AVOID_NODE = 5;

/** Why no node will do: for people, and what keeps most of them from it in a word. */
export interface Refusal {
  readonly reason: string;
  readonly code: PendingCode;
}

export type PlacementResult = { readonly nodeId: string } | { readonly refusal: Refusal };

/** What a group of identical tasks is placed by. */
export interface GroupWish {
  readonly board: NodeBoard;
  readonly wants: Requirements;
  readonly occupancy: Occupancy;
  /** How many tasks there are to place: so many nodes are remembered. */
  readonly tasks: number;
  /** Nodes on which the service has failed often lately: they come last. */
  readonly failing: ReadonlySet<string>;
}

type Accepts = (node: PlanNode) => boolean;
const acceptsAny: Accepts = () => true;

/** The nodes that share all labels of the spread preferences. */
interface Leaf {
  readonly branch: Branch;
  readonly heap: CandidateHeap;
}

interface Held {
  readonly candidate: Candidate;
  readonly leaf: Leaf;
}

/** Places the tasks of one service at one revision, one after the other. */
export class GroupPlacement {
  private readonly wish: GroupWish;
  private readonly question: Question;
  private readonly held = new Map<string, Held>();
  private readonly leaves = new Map<string, Leaf>();
  private readonly tree: SpreadTree;
  /** How many more of the best nodes that are held may get worse before another might be better; infinity once all are held. */
  private left: number;
  /** How many of the occupancy's changes the scores take into account. */
  private changesSeen: number;
  /** What the networks had left when all nodes that are held were rated last. */
  private supplies: readonly number[];
  /** Why the last task found no place; stays true until something changes. */
  private lastRefusal: Refusal | undefined;

  constructor(wish: GroupWish) {
    const { wants, occupancy, failing, tasks } = wish;
    this.wish = wish;
    // Processors and memory are asked of every node: they are looked up in columns.
    const filters = roomFilters.filter((each) => each.concerns(wants) && each.name !== 'cpu' && each.name !== 'memory');
    this.question = { board: wish.board, occupancy, wants, filters, failing };
    wish.board.catchUp();
    this.tree = new SpreadTree(wants.spread);
    this.changesSeen = occupancy.changes.length;
    this.left = tasks;
    this.supplies = wants.networks.map((network) => network.supply());
    if (wants.spread.length + wants.near.length + wants.networks.length > 0) this.holdAll();
    else for (const at of selectBest(this.question, tasks)) this.hold(at);
  }

  /** The best node for one more task, or why there is none. `failures` are the slot's own, by node. */
  place(failures: Readonly<Record<string, number>>, only?: Accepts): PlacementResult {
    this.catchUp();
    const isAvoided = (id: string) => (failures[id] ?? 0) >= FAILURES_TO_AVOID_NODE;
    const avoidsSome = Object.keys(failures).some(isAvoided);
    if (only || avoidsSome || this.left <= 0) this.holdAll();
    const accepts = only ?? acceptsAny;
    const best = (avoidsSome && this.best((node) => accepts(node) && !isAvoided(node.id))) || this.best(accepts);
    if (best) return { nodeId: best.id };
    if (only) return { refusal: this.refusal(only) };
    this.lastRefusal ??= this.refusal(accepts);
    return { refusal: this.lastRefusal };
  }

  /** How the next task finds the nodes: all of a small cluster, of a larger one `most` that are nearest to being chosen. */
  verdicts(most: number): NodeVerdict[] {
    const { board } = this.wish;
    board.catchUp();
    return verdictsOf(board.nodes.length <= most ? board.nodes : this.nearest(most), this.question);
  }

  /** The best of those that are held, and where these are few the least loaded of the others. */
  private nearest(most: number): readonly BoardNode[] {
    const { board } = this.wish;
    const held = [...this.held.values()].map(({ candidate }) => candidate).sort(compareCandidates);
    const found = new Set(held.slice(0, most).map(({ at }) => at));
    for (const index of board.order.sorted) {
      if (found.size >= most) break;
      const at = board.nodes[index];
      if (at) found.add(at);
    }
    return [...found];
  }

  /** From now on every fitting node is held: whoever asks for particular ones may need any. */
  private holdAll(): void {
    if (this.left === Number.POSITIVE_INFINITY) return;
    this.left = Number.POSITIVE_INFINITY;
    const { board, wants } = this.wish;
    const fitting = board.fittingFor(wants);
    for (const at of board.nodes) if (fitting[at.index] === 1 && !this.held.has(at.node.id)) this.hold(at);
  }

  private hold(at: BoardNode): void {
    const known = { candidate: candidateOf(at), leaf: this.leafOf(at.node) };
    this.held.set(at.node.id, known);
    this.rateAgain(known);
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
    const { board, occupancy, wants } = this.wish;
    const { changes } = occupancy;
    if (this.changesSeen === changes.length) return;
    this.lastRefusal = undefined;
    board.catchUp();
    // Where a task of a group goes, to its kin or on the last range of a network, decides where the others may.
    if (wants.near.length > 0 || this.isOtherSupply()) for (const known of this.held.values()) this.rateAgain(known);
    for (; this.changesSeen < changes.length; this.changesSeen += 1) {
      const nodeId = changes[this.changesSeen] ?? '';
      const known = this.held.get(nodeId);
      const at = known ? undefined : board.get(nodeId);
      if (known) this.left -= Number(this.rateChanged(known));
      else if (at && board.fittingFor(wants)[at.index] === 1) this.hold(at);
    }
  }

  private isOtherSupply(): boolean {
    const before = this.supplies;
    this.supplies = this.wish.wants.networks.map((network) => network.supply());
    return this.supplies.some((supply, index) => supply !== before[index]);
  }

  /** Rates it again; true when it is a worse choice than it was. */
  private rateChanged(known: Held): boolean {
    const before = { ...known.candidate };
    this.rateAgain(known);
    const hasLeft = before.position >= 0 && known.candidate.position < 0;
    return hasLeft || compareCandidates(before, known.candidate) < 0;
  }

  private rateAgain({ candidate, leaf: { branch, heap } }: Held): void {
    const { copies } = candidate;
    rate(candidate.at, this.question, candidate);
    this.tree.add(branch, candidate.copies - copies);
    const isIn = candidate.position >= 0;
    if (!hasRoom(candidate.at, this.question)) {
      if (isIn) heap.remove(candidate);
    } else if (isIn) heap.restore(candidate);
    else heap.add(candidate);
  }

  /** Of the best nodes of all branches the one whose branch has the fewest tasks, seen from the trunk. */
  private best(accepts: Accepts): PlanNode | undefined {
    let best: { readonly candidate: Candidate; readonly branch: Branch } | undefined;
    for (const { branch, heap } of this.leaves.values()) {
      const candidate = heap.best(({ at }) => accepts(at.node));
      if (!candidate) continue;
      const difference = best
        ? candidate.failing - best.candidate.failing ||
          this.tree.compare(branch, best.branch) ||
          compareCandidates(candidate, best.candidate)
        : -1;
      if (difference < 0) best = { candidate, branch };
    }
    return best?.candidate.at.node;
  }

  /** Looked at node by node only when nobody takes the task. */
  private refusal(accepts: Accepts): Refusal {
    const { board, wants } = this.wish;
    const turnedAway = new Map<Filter, PlanNode[]>();
    for (const { node, use } of board.nodes) {
      const isNo = (filter: Filter) => !filter.allows(node, use, wants);
      const filter = nodeFilters.find(isNo) ?? (accepts(node) ? roomFilters.find(isNo) : undefined);
      if (!filter) continue;
      const known = turnedAway.get(filter);
      if (known) known.push(node);
      else turnedAway.set(filter, [node]);
    }
    return refusalOf(turnedAway, wants);
  }
}

/** "no suitable node (...)", the reason of most nodes first: the prefix is Swarm's. */
function refusalOf(turnedAway: ReadonlyMap<Filter, readonly PlanNode[]>, wants: Requirements): Refusal {
  const sorted = [...turnedAway].sort(([, a], [, b]) => b.length - a.length);
  const reasons = sorted.map(([filter, nodes]) => filter.explain(nodes, wants));
  const reason = `no suitable node (${reasons.join('; ') || 'the cluster has no nodes'})`;
  return { reason, code: sorted[0]?.[0].code ?? 'no-nodes' };
}
