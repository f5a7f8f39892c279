/** Which nodes should run a task of a global service. */

import type { TaskTemplate } from '../../model/service-spec.ts';
import { meets, parseConstraint } from './constraints.ts';
import type { PlanNode } from './nodes.ts';
import type { Slot } from './slot.ts';

/**
 * The ids of nodes that should have a task: those that meet the constraints and are not drained. A paused node keeps its
 * task but gets none; so does one that is lost or not heard of (its task may still run). `traces` are the nodes of which
 * something tells that they have one, though its assignment be lost (simulation, seed 40123). Pure.
 */
export function wantedGlobal(
  nodes: Iterable<PlanNode>,
  template: TaskTemplate,
  slots: ReadonlyMap<string, Slot>,
  traces: { has(nodeId: string): boolean },
): ReadonlySet<string> {
  const wanted = new Set<string>();
  for (const node of nodes) {
    if (node.removed || node.availability === 'drain' || !meetsAll(node, template)) continue;
    const hasTask = traces.has(node.id) || (slots.get(node.id)?.isTaken ?? false);
    const takesTasks = node.availability === 'active' && node.state === 'ready';
    if (hasTask || takesTasks) wanted.add(node.id);
  }
  return wanted;
}

function meetsAll(node: PlanNode, template: TaskTemplate): boolean {
  if (!node.record || !node.spec) return true;
  return (template.Placement?.Constraints ?? []).every((text) => {
    const constraint = parseConstraint(text);
    return typeof constraint !== 'string' && meets(node, constraint);
  });
}
