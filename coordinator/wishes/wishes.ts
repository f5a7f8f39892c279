/** The door through which the cluster's wishes change, whichever API asks. */
import type { PayloadKind } from '../../model/payload.ts';
import { ClusterWishes } from './cluster-wishes.ts';
import { NetworkWishes } from './network-wishes.ts';
import { NodeWishes } from './node-wishes.ts';
import { PayloadWishes } from './payload-wishes.ts';
import { ServiceWishes } from './service-wishes.ts';
import { VolumeWishes } from './volume-wishes.ts';
import type { WishParts } from './wish-parts.ts';

export interface Wishes {
  readonly services: Pick<ServiceWishes, 'create' | 'update' | 'rollback' | 'rollbackTo' | 'undoUpdate' | 'remove'>;
  readonly networks: Pick<NetworkWishes, 'create' | 'remove'>;
  readonly payloads: Readonly<
    Record<PayloadKind, Pick<PayloadWishes, 'create' | 'relabel' | 'remove' | 'rotate' | 'content'>>
  >;
  readonly volumes: Pick<VolumeWishes, 'create' | 'remove'>;
  readonly nodes: Pick<NodeWishes, 'update' | 'remove'>;
  readonly cluster: Pick<ClusterWishes, 'update'>;
}

export function createWishes(parts: WishParts): Wishes {
  const services = new ServiceWishes(parts);
  return {
    services,
    networks: new NetworkWishes(parts),
    payloads: {
      secret: new PayloadWishes(parts, 'secret', services),
      config: new PayloadWishes(parts, 'config', services),
    },
    volumes: new VolumeWishes(parts),
    nodes: new NodeWishes(parts),
    cluster: new ClusterWishes(parts),
  };
}
