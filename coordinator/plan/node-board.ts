/** The nodes as placement looks at them again and again: each with what it carries, the least loaded first. */
import { nodeFilters, type Requirements } from './filters.ts';
import { NodeOrder } from './node-order.ts';
import type { PlanNode } from './nodes.ts';
import type { NodeUse, Occupancy } from './occupancy.ts';

export interface BoardNode {
  readonly node: PlanNode;
  readonly use: NodeUse;
  /** Place among all nodes by id: it decides between equals. */
  readonly index: number;
}

/** Wishes whose fitting nodes are remembered: services mostly ask for the same few things. */
const MOST_WISHES = 256;

export class NodeBoard {
  readonly nodes: readonly BoardNode[];
  readonly order: NodeOrder;
  private readonly byId: ReadonlyMap<string, BoardNode>;
  private readonly fitting = new Map<string, Uint8Array>();
  private readonly occupancy: Occupancy;
  private changesSeen: number;

  constructor(nodes: Iterable<PlanNode>, occupancy: Occupancy, busy: ReadonlyMap<string, number> = new Map()) {
    this.occupancy = occupancy;
    this.nodes = [...nodes]
      .filter((node) => !node.removed)
      .map((node, index) => ({ node, use: occupancy.use(node.id), index }));
    this.byId = new Map(this.nodes.map((each) => [each.node.id, each]));
    this.order = new NodeOrder(this.nodes, busy);
    this.changesSeen = occupancy.changes.length;
  }

  get(nodeId: string): BoardNode | undefined {
    return this.byId.get(nodeId);
  }

  /** By index, 1 for a node that passes every filter that looks at the node alone. */
  fittingFor(wants: Requirements): Uint8Array {
    const key = JSON.stringify([wants.constraints.map(({ text }) => text), wants.platforms]);
    const known = this.fitting.get(key);
    if (known) return known;
    if (this.fitting.size >= MOST_WISHES) this.fitting.clear();
    const fits = ({ node, use }: BoardNode) => nodeFilters.every((filter) => filter.allows(node, use, wants));
    const found = Uint8Array.from(this.nodes, (at) => Number(fits(at)));
    this.fitting.set(key, found);
    return found;
  }

  /** Brings the order up to what the nodes carry now. */
  catchUp(): void {
    const { changes } = this.occupancy;
    if (changes.length === this.changesSeen) return;
    const changed = changes.slice(this.changesSeen);
    this.changesSeen = changes.length;
    if (changed.length > this.nodes.length / 4) return this.order.sort();
    for (const nodeId of changed) {
      const at = this.byId.get(nodeId);
      if (at) this.order.move(at);
    }
  }

  /** To be called when the list of changes begins anew. */
  restart(): void {
    this.catchUp();
    this.changesSeen = 0;
  }
}
