/** Where a task runs: filters first, then spread. One pass of node filters per group of identical tasks. */
import type { PendingCode } from '../../model/records.ts';
import type { TaskTemplate } from '../../model/service-spec.ts';
import { type Filter, nodeFilters, type Requirements, roomFilters } from './filters.ts';
import type { PlanNode } from './nodes.ts';
import type { Occupancy } from './occupancy.ts';

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
  private readonly suitable: PlanNode[] = [];
  private readonly turnedAway = new Map<string, TurnedAway>();
  private readonly wants: Requirements;
  private readonly occupancy: Occupancy;
  private readonly spreadKeys: readonly string[];

  constructor(nodes: Iterable<PlanNode>, wants: Requirements, template: TaskTemplate, occupancy: Occupancy) {
    this.wants = wants;
    this.occupancy = occupancy;
    this.spreadKeys = (template.Placement?.Preferences ?? []).map(
      (preference) => preference.Spread?.SpreadDescriptor ?? '',
    );
    for (const node of nodes) this.sort(node);
  }

  /** The best node for one more task, or why there is none. `failures` are the slot's own, by node. */
  place(failures: Readonly<Record<string, number>>, only?: (node: PlanNode) => boolean): PlacementResult {
    const refused = new Map(
      [...this.turnedAway].map(([name, { filter, nodes }]) => [name, { filter, nodes: [...nodes] }]),
    );
    const fit = this.suitable.filter((node) => (only?.(node) ?? true) && this.hasRoom(node, refused));
    const best = this.best(fit, failures);
    return best ? { nodeId: best.id } : { refusal: refusalOf(refused, this.wants) };
  }

  private sort(node: PlanNode): void {
    if (node.removed) return;
    const refusing = nodeFilters.find((filter) => !filter.allows(node, this.occupancy.use(node.id), this.wants));
    if (refusing) note(this.turnedAway, refusing, node);
    else this.suitable.push(node);
  }

  private hasRoom(node: PlanNode, refused: Map<string, TurnedAway>): boolean {
    const refusing = roomFilters.find((filter) => !filter.allows(node, this.occupancy.use(node.id), this.wants));
    if (refusing) note(refused, refusing, node);
    return refusing === undefined;
  }

  private best(fit: readonly PlanNode[], failures: Readonly<Record<string, number>>): PlanNode | undefined {
    const branches = this.branchCounts();
    let best: { node: PlanNode; score: readonly number[] } | undefined;
    for (const node of fit) {
      const score = this.score(node, failures, branches);
      if (!best || isLower(score, best.score)) best = { node, score };
    }
    return best?.node;
  }

  /** Compared from the left, lower is better; equal nodes keep the order of their ids. */
  private score(
    node: PlanNode,
    failures: Readonly<Record<string, number>>,
    branches: ReadonlyMap<string, number>,
  ): readonly number[] {
    const use = this.occupancy.use(node.id);
    return [
      (failures[node.id] ?? 0) >= FAILURES_TO_AVOID_NODE ? 1 : 0,
      ...this.spreadKeys.map((_, level) => branches.get(this.branch(node, level)) ?? 0),
      use.byService.get(this.wants.serviceId) ?? 0,
      use.tasks,
      use.memoryBytes / (node.record?.resources.memoryBytes || 1),
    ];
  }

  /** How many tasks of the service lie in each branch of the spread tree. */
  private branchCounts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    if (this.spreadKeys.length === 0) return counts;
    for (const node of this.suitable) {
      const copies = this.occupancy.use(node.id).byService.get(this.wants.serviceId) ?? 0;
      this.spreadKeys.forEach((_, level) => {
        const branch = this.branch(node, level);
        counts.set(branch, (counts.get(branch) ?? 0) + copies);
      });
    }
    return counts;
  }

  private branch(node: PlanNode, level: number): string {
    return this.spreadKeys
      .slice(0, level + 1)
      .map((key) => labelOf(node, key))
      .join('\0');
  }
}

function labelOf(node: PlanNode, descriptor: string): string {
  const [, kind, label = ''] = /^(node|engine)\.labels\.(.+)$/i.exec(descriptor) ?? [];
  if (kind?.toLowerCase() === 'node') return node.spec?.labels[label] ?? '';
  return node.record?.engine.labels[label] ?? '';
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

function isLower(left: readonly number[], right: readonly number[]): boolean {
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? 0;
    if (value !== other) return value < other;
  }
  return false;
}
