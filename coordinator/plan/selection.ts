/** The best nodes for a group of tasks, found at the front of the order of all nodes: how many there are hardly matters. */
import type { Candidate, Score } from './candidate-heap.ts';
import type { Filter, Requirements } from './filters.ts';
import type { BoardNode, NodeBoard } from './node-board.ts';
import type { Occupancy } from './occupancy.ts';

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
  const blank = { failing: 0, copies: 0, busy: 0, tasks: 0, reservedTenths: 0, lacksImage: 0, reservedShare: 0 };
  return { ...blank, at, position: -1 };
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
    if (isCut) search.takeWithImage(start, end);
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

  /** Among equals those with the image are better, wherever in this part they are. */
  takeWithImage(start: number, end: number): void {
    const { board, occupancy, wants } = this.question;
    const { order } = board;
    const holders = occupancy.nodesWith(wants.image);
    const first = order.sorted[start] ?? 0;
    if (holders.size < end - start) {
      for (const use of holders.keys()) {
        if (use.tasks !== order.tasks[first]) continue;
        const at = board.get(use.nodeId);
        if (at && order.compareCoarsely(at.index, first) === 0) this.take(at.index);
      }
      return;
    }
    for (let place = start; place < end; place += 1) {
      const index = order.sorted[place] ?? 0;
      if (board.nodes[index]?.use.images.has(wants.image)) this.take(index);
    }
  }

  takeSpecial(nodeId: string): void {
    const at = this.question.board.get(nodeId);
    if (at && this.fitting[at.index] === 1) this.found.add(at);
  }

  private take(index: number): void {
    const at = this.fits(index);
    if (at) this.found.add(at);
  }

  /** The node if it is an ordinary one that fits and has room. */
  private fits(index: number): BoardNode | undefined {
    if (this.fitting[index] !== 1) return undefined;
    const at = this.question.board.nodes[index];
    if (!at || !hasRoom(at, this.question)) return undefined;
    return this.own.has(at.node.id) || this.question.failing.has(at.node.id) ? undefined : at;
  }
}
