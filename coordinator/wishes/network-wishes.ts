/** Creating and removing networks of the cluster. They do not change in between, as in Swarm. */
import type { NetworkRecord } from '../../model/network-records.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { networkUsers } from '../store/network-users.ts';
import { type Claim, Claims } from './claims.ts';
import { notFound } from './errors.ts';
import { checkNetworkWish, type NetworkWish, refuseOverlap, refuseUnencryptable } from './network-rules.ts';
import { announce } from './wish-events.ts';
import type { WishParts } from './wish-parts.ts';

export class NetworkWishes {
  private readonly parts: WishParts;
  private readonly claims: Claims;

  constructor(parts: WishParts) {
    this.parts = parts;
    this.claims = new Claims(parts.buckets.claims, parts.log);
  }

  /** Answers the new network's id. Throws `conflict` when there is one of that name. */
  async create(wish: NetworkWish): Promise<{ id: string }> {
    checkNetworkWish(wish);
    refuseUnencryptable(wish, this.taken().nodes);
    if (wish.subnet !== undefined) refuseOverlap(wish.subnet, this.taken());
    const id = this.parts.newId();
    const taken = await this.claims.take([nameClaim(wish.name)], { v: 1, ownerId: id, ownerName: wish.name });
    const record = recordOf(id, wish, this.parts.clock.wallMs());
    await this.claims.undoneUnlessWritten(taken, id, async () => {
      await this.parts.barrier.reached('networks', await this.parts.buckets.networks.create(id, record));
    });
    await announce(this.parts, 'network', id, 'create', { name: wish.name, type: 'overlay' });
    return { id };
  }

  /** Throws `precondition`, naming them, while services use it. Tasks that still stop keep their addresses until then. */
  async remove(id: string): Promise<void> {
    const entry = await this.parts.buckets.networks.get(id);
    if (entry === undefined) throw notFound('network', id);
    const users = networkUsers(this.parts.snapshot(), id);
    if (users.length > 0) {
      const names = users.map((service) => `${service.spec.Name} (${service.id})`).join(', ');
      throw new PlimsollError(
        'precondition',
        `network ${entry.value.name} (${id}) is in use by service ${names}: remove it from there first`,
      );
    }
    await this.parts.buckets.networks.delete(id, entry.revision);
    await this.parts.barrier.vanished('networks', id);
    await this.claims.release([nameClaim(entry.value.name).key], id);
    await announce(this.parts, 'network', id, 'remove', { name: entry.value.name, type: 'overlay' });
  }

  private taken() {
    const { networks, nodes } = this.parts.snapshot();
    return {
      networks: [...networks.values()].map((entry) => entry.value),
      nodes: [...nodes.values()].map((entry) => entry.value),
    };
  }
}

function recordOf(id: string, wish: NetworkWish, createdAtMs: number): NetworkRecord {
  const { name, internal, attachable, subnet } = wish;
  const words = { labels: { ...wish.labels }, options: { ...wish.options } };
  return {
    v: 1,
    id,
    name,
    ...words,
    internal,
    ...(attachable && { attachable }),
    ...(subnet !== undefined && { subnet }),
    createdAtMs,
  };
}

function nameClaim(name: string): Claim {
  return {
    key: `network.${name}`,
    refusal: () => new PlimsollError('conflict', `network with name ${name} already exists`),
  };
}
