/** Spread preferences: how many tasks of a service lie in each branch of the tree that labels of nodes form. */
import type { Placement } from '../../model/service-spec.ts';
import type { PlanNode } from './nodes.ts';

/** The branches a node lies in, from the trunk to the leaf. */
export interface Branch {
  /** The values of all preferred labels. */
  readonly path: string;
  readonly levels: readonly { tasks: number }[];
}

export class SpreadTree {
  private readonly descriptors: readonly string[];
  private readonly counts = new Map<string, { tasks: number }>();

  constructor(preferences: NonNullable<Placement['Preferences']>) {
    this.descriptors = preferences.map((preference) => preference.Spread?.SpreadDescriptor ?? '');
  }

  branchOf(node: PlanNode): Branch {
    const values = this.descriptors.map((descriptor) => labelOf(node, descriptor));
    const paths = values.map((_, level) => values.slice(0, level + 1).join('\0'));
    return { path: paths.at(-1) ?? '', levels: paths.map((path, level) => this.countOf(`${level}\0${path}`)) };
  }

  /** Counts tasks in a leaf and in every branch it hangs on. */
  add(branch: Branch, tasks: number): void {
    for (const count of branch.levels) count.tasks += tasks;
  }

  /** Negative when `a` has fewer tasks than `b` at the first level where they differ. */
  compare(a: Branch, b: Branch): number {
    for (const [level, count] of a.levels.entries()) {
      const difference = count.tasks - (b.levels[level]?.tasks ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  private countOf(key: string): { tasks: number } {
    const known = this.counts.get(key);
    if (known) return known;
    const count = { tasks: 0 };
    this.counts.set(key, count);
    return count;
  }
}

function labelOf(node: PlanNode, descriptor: string): string {
  const [, kind, label = ''] = /^(node|engine)\.labels\.(.+)$/i.exec(descriptor) ?? [];
  if (kind?.toLowerCase() === 'node') return node.spec?.labels[label] ?? '';
  return node.record?.engine.labels[label] ?? '';
}
