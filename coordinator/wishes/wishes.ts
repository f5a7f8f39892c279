/** The door through which the cluster's wishes change, whichever API asks. */
import { ClusterWishes } from './cluster-wishes.ts';
import { NodeWishes } from './node-wishes.ts';
import { ServiceWishes } from './service-wishes.ts';
import type { WishParts } from './wish-parts.ts';

export interface Wishes {
  readonly services: Pick<ServiceWishes, 'create' | 'update' | 'rollback' | 'undoUpdate' | 'remove'>;
  readonly nodes: Pick<NodeWishes, 'update' | 'remove'>;
  readonly cluster: Pick<ClusterWishes, 'update'>;
}

export function createWishes(parts: WishParts): Wishes {
  return {
    services: new ServiceWishes(parts),
    nodes: new NodeWishes(parts),
    cluster: new ClusterWishes(parts),
  };
}
