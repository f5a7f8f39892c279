/** Generic resources (swarmkit api/genericresource): tasks ask for a number of a kind; of a named kind each gets its own. */
import type { GenericResource } from '../../model/generic-resources.ts';
import type { TaskTemplate } from '../../model/service-spec.ts';
import type { PlanNode } from './nodes.ts';
import type { NodeUse } from './occupancy.ts';

/** How many of each kind a task reserves. */
export function genericReservations({ Resources }: TaskTemplate): ReadonlyMap<string, number> {
  const wanted = new Map<string, number>();
  for (const { DiscreteResourceSpec } of Resources?.Reservations?.GenericResources ?? []) {
    if (!DiscreteResourceSpec) continue;
    const { Kind, Value = 0 } = DiscreteResourceSpec;
    wanted.set(Kind, (wanted.get(Kind) ?? 0) + Value);
  }
  return wanted;
}

/** The kinds a node has too few of, or has never had: as in Swarm even none of those cannot be had. */
export function genericLacking(node: PlanNode, use: NodeUse, wanted: ReadonlyMap<string, number>): string[] {
  return [...wanted].flatMap(([kind, count]) => {
    const has = advertised(node, kind);
    return has && freeOf(has, use) >= count ? [] : [`wants ${count} ${kind}, ${has ? freeOf(has, use) : 0} are free`];
  });
}

function freeOf({ kind, count }: GenericResource, use: NodeUse): number {
  return Math.max(0, count - (use.generic.get(kind) ?? 0));
}

/** What a task on this node gets of each kind; the names are the first that are free. */
export function assignGeneric(node: PlanNode, use: NodeUse, wanted: ReadonlyMap<string, number>): GenericResource[] {
  const some = [...wanted].filter(([, count]) => count > 0);
  return some.map(([kind, count]) => {
    const names = advertised(node, kind)?.names ?? [];
    const free = names.filter((name) => !use.genericNames.has(`${kind}/${name}`));
    return { kind, count, names: free.slice(0, count) };
  });
}

/** "2 gpu, 1 licence". */
export function genericText(wanted: ReadonlyMap<string, number>): string {
  return [...wanted].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

function advertised(node: PlanNode, kind: string): GenericResource | undefined {
  return node.record?.resources.generic?.find((resource) => resource.kind === kind);
}
