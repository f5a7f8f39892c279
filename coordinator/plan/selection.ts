/** The best nodes for a group of tasks, found at the front of the order of all nodes: how many there are hardly matters. */
import type { Candidate, Score } from './candidate-heap.ts';
import type { Filter, Requirements } from './filters.ts';
import type { BoardNode, NodeBoard } from './node-board.ts';
import type { NodeUse, Occupancy } from './occupancy.ts';

export interface Question {
  readonly board: NodeBoard;
  readonly occupancy: Occupancy;
  readonly wants: Requirements;
  /** Filters that say something about these wants, but for processors and memory. */
  readonly filters: readonly Filter[];
  /** Nodes on which the service has failed often lately. */
  readonly failing: ReadonlySet<string>;
}

/** Whether a node has room for one more task now. */
export function hasRoom(at: BoardNode, { board: { order }, wants, filters }: Question): boolean {
  if (wants.nanoCpus > 0 && (order.freeNanoCpus[at.index] ?? 0) < wants.nanoCpus) return false;
  if (wants.memoryBytes > 0 && (order.freeMemoryBytes[at.index] ?? 0) < wants.memoryBytes) return false;
  for (const filter of filters) if (!filter.allows(at.node, at.use, wants)) return false;
  return true;
}

/** A node's score as it is now, written into `score`. */
export function rate(at: BoardNode, { board: { order }, wants, failing }: Question, score: Score): void {
  score.failing = failing.has(at.node.id) ? 1 : 0;
  score.copies = at.use.byService.get(wants.serviceId) ?? 0;
  score.busy = order.busy[at.index] ?? 0;
  score.tasks = order.tasks[at.index] ?? 0;
  score.reservedTenths = order.tenths(at.index);
  score.lacksImage = at.use.images.has(wants.image) ? 0 : 1;
  score.reservedShare = order.reservedShare[at.index] ?? 0;
}

export function candidateOf(at: BoardNode): Candidate {
  return {
    failing: 0,
    copies: 0,
    busy: 0,
    tasks: 0,
    reservedTenths: 0,
    lacksImage: 0,
    reservedShare: 0,
    at,
    position: -1,
  };
}

/**
 * The `count` best of the nodes that fit and have room, and some more. Those with copies of the service and those it fails
 * on are all among them: their place in the order of all nodes is not the one they have for this service.
 */
export function selectBest(question: Question, count: number): ReadonlySet<BoardNode> {
  const { board, wants } = question;
  const { sorted } = board.order;
  const search = new Search(question);
  for (let start = 0; start < sorted.length && search.found.size < count; ) {
    const end = board.order.endOfEquals(start);
    const isCut = search.takeFirst(start, end, count);
    if (isCut) search.takeWithImage(start, end, count);
    start = end;
  }
  for (const id of [...question.occupancy.nodesOf(wants.serviceId), ...question.failing]) search.takeSpecial(id);
  return search.found;
}

class Search {
  readonly found = new Set<BoardNode>();
  private readonly question: Question;
  private readonly fitting: Uint8Array;
  private readonly own: ReadonlySet<string>;

  constructor(question: Question) {
    this.question = question;
    this.fitting = question.board.fittingFor(question.wants);
    this.own = new Set(question.occupancy.nodesOf(question.wants.serviceId));
  }

  /** Takes nodes of this part of the order until there are enough; true when some of the part were not looked at. */
  takeFirst(start: number, end: number, count: number): boolean {
    const { board } = this.question;
    for (let place = start; place < end; place += 1) {
      if (this.found.size >= count) return true;
      const at = this.fits(board.order.sorted[place] ?? 0);
      if (at) this.found.add(at);
    }
    return false;
  }

  /** Among equals those with the image are better, wherever in this part they are: its first `count` of them will do. */
  takeWithImage(start: number, end: number, count: number): void {
    const holders = this.question.occupancy.nodesWith(this.question.wants.image);
    const found = holders.size < end - start ? this.holdersIn(start, holders.keys()) : this.part(start, end);
    let left = count;
    for (const index of found) {
      if (left === 0) return;
      if (this.take(index)) left -= 1;
    }
  }

  /** The indexes of nodes with the image in the part that begins at `start`, the best first. */
  private holdersIn(start: number, holders: Iterable<NodeUse>): number[] {
    const { board } = this.question;
    const first = board.order.sorted[start] ?? 0;
    const firstTasks = board.order.tasks[first];
    const found: number[] = [];
    for (const use of holders) {
      const at = use.tasks === firstTasks ? board.get(use.nodeId) : undefined;
      if (at && board.order.compareCoarsely(at.index, first) === 0) found.push(at.index);
    }
    return found.sort((a, b) => board.order.compare(a, b));
  }

  /** The same, by a look at the whole part. */
  private *part(start: number, end: number): Iterable<number> {
    const { board, wants } = this.question;
    for (let place = start; place < end; place += 1) {
      const index = board.order.sorted[place] ?? 0;
      if (board.nodes[index]?.use.images.has(wants.image)) yield index;
    }
  }

  takeSpecial(nodeId: string): void {
    const at = this.question.board.get(nodeId);
    if (at && this.fitting[at.index] === 1) this.found.add(at);
  }

  private take(index: number): boolean {
    const at = this.fits(index);
    if (at) this.found.add(at);
    return at !== undefined;
  }

  /** The node if it is an ordinary one that fits and has room. */
  private fits(index: number): BoardNode | undefined {
    if (this.fitting[index] !== 1) return undefined;
    const at = this.question.board.nodes[index];
    if (!at || !hasRoom(at, this.question)) return undefined;
    return this.own.has(at.node.id) || this.question.failing.has(at.node.id) ? undefined : at;
  }
}
