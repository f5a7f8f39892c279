/**
 * Nodes by how loaded they are, whatever is to be placed: kept sorted, so that a search finds the best at the front. Their
 * numbers lie in columns: thousands of objects would be looked up in memory one by one.
 */
import type { BoardNode } from './node-board.ts';

export class NodeOrder {
  readonly freeNanoCpus: Float64Array;
  readonly freeMemoryBytes: Float64Array;
  readonly tasks: Int32Array;
  /** How busy each was measured to be, see `busyness()`. */
  readonly busy: Uint8Array;
  /** The larger of the reserved shares of processors and memory. */
  readonly reservedShare: Float64Array;
  /** Indexes of nodes, the least loaded first. */
  readonly sorted: Int32Array;
  private readonly nodes: readonly BoardNode[];

  constructor(nodes: readonly BoardNode[], busy: ReadonlyMap<string, number>) {
    this.nodes = nodes;
    this.freeNanoCpus = new Float64Array(nodes.length);
    this.freeMemoryBytes = new Float64Array(nodes.length);
    this.tasks = new Int32Array(nodes.length);
    this.busy = Uint8Array.from(nodes, ({ node }) => busy.get(node.id) ?? 0);
    this.reservedShare = new Float64Array(nodes.length);
    this.sorted = Int32Array.from(nodes, ({ index }) => index);
    this.sort();
  }

  /** All of them anew. */
  sort(): void {
    for (const at of this.nodes) this.note(at);
    this.sorted.sort((a, b) => this.compare(a, b));
  }

  /** One node to where it belongs by what it carries now. */
  move(at: BoardNode): void {
    const from = this.firstNotBefore(at.index);
    this.note(at);
    this.sorted.copyWithin(from, from + 1);
    const to = this.firstNotBefore(at.index, this.sorted.length - 1);
    this.sorted.copyWithin(to + 1, to, this.sorted.length - 1);
    this.sorted[to] = at.index;
  }

  /** Reserved share in tenths: smaller differences do not matter beside a missing image. */
  tenths(index: number): number {
    return Math.floor((this.reservedShare[index] ?? 0) * 10);
  }

  /** Where, from `start` on, the nodes end that are as busy, have as many tasks and as many reserved tenths as the one there. */
  endOfEquals(start: number): number {
    const { sorted } = this;
    const first = sorted[start] ?? 0;
    let [low, high] = [start, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compareCoarsely(sorted[middle] ?? 0, first) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Negative when `a` is the better node as far as whole tasks and tenths go. */
  compareCoarsely(a: number, b: number): number {
    const { busy, tasks } = this;
    return (busy[a] ?? 0) - (busy[b] ?? 0) || (tasks[a] ?? 0) - (tasks[b] ?? 0) || this.tenths(a) - this.tenths(b);
  }

  /** Negative when `a` is the better node. */
  compare(a: number, b: number): number {
    const { reservedShare } = this;
    return this.compareCoarsely(a, b) || (reservedShare[a] ?? 0) - (reservedShare[b] ?? 0) || a - b;
  }

  private firstNotBefore(index: number, length = this.sorted.length): number {
    let [low, high] = [0, length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compare(this.sorted[middle] ?? 0, index) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private note({ node, use, index }: BoardNode): void {
    const { nanoCpus = 0, memoryBytes = 0 } = node.record?.resources ?? {};
    this.freeNanoCpus[index] = nanoCpus - use.nanoCpus;
    this.freeMemoryBytes[index] = memoryBytes - use.memoryBytes;
    this.tasks[index] = use.tasks;
    this.reservedShare[index] = Math.max(use.nanoCpus / (nanoCpus || 1), use.memoryBytes / (memoryBytes || 1));
  }
}
