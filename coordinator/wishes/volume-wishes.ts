/** Volumes of the cluster: how nodes are to make them when a task there mounts one. */
import type { VolumeRecord } from '../../model/volume-record.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { type Claim, Claims } from './claims.ts';
import { invalid, notFound } from './errors.ts';
import { announce } from './wish-events.ts';
import type { WishParts } from './wish-parts.ts';

export type VolumeWish = Pick<VolumeRecord, 'name' | 'driver' | 'options' | 'labels'>;

export class VolumeWishes {
  private readonly parts: WishParts;
  private readonly claims: Claims;

  constructor(parts: WishParts) {
    this.parts = parts;
    this.claims = new Claims(parts.buckets.claims, parts.log);
  }

  /** Answers the volume; one of that name and driver stays as it is, as with Docker. Throws `conflict` for another driver. */
  async create(wish: VolumeWish): Promise<VolumeRecord> {
    checkName(wish.name);
    const known = [...this.parts.snapshot().volumes.values()].find(({ value }) => value.name === wish.name)?.value;
    if (known?.driver === wish.driver) return known;
    if (known !== undefined) {
      const words = `a volume named ${wish.name} already exists with the ${known.driver} driver. Choose a different volume name`;
      throw new PlimsollError('conflict', words);
    }
    const id = this.parts.newId();
    const taken = await this.claims.take([nameClaim(wish.name)], { v: 1, ownerId: id, ownerName: wish.name });
    const record: VolumeRecord = { v: 1, id, ...wish, createdAtMs: this.parts.clock.wallMs() };
    await this.claims.undoneUnlessWritten(taken, id, async () => {
      await this.parts.barrier.reached('volumes', await this.parts.buckets.volumes.create(id, record));
    });
    await announce(this.parts, 'volume', id, 'create', { name: wish.name, driver: wish.driver });
    return record;
  }

  /** Forgets how to make it; what nodes have of it stays with them. */
  async remove(id: string): Promise<void> {
    const entry = await this.parts.buckets.volumes.get(id);
    if (entry === undefined) throw notFound('volume', id);
    await this.parts.buckets.volumes.delete(id, entry.revision);
    await this.parts.barrier.vanished('volumes', id);
    await this.claims.release([nameClaim(entry.value.name).key], id);
    await announce(this.parts, 'volume', id, 'destroy', { name: entry.value.name });
  }
}

function checkName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) && name.length <= 255) return;
  throw invalid(
    `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}

function nameClaim(name: string): Claim {
  return {
    key: `volume.${name}`,
    refusal: () => new PlimsollError('conflict', `a volume named ${name} is just being created: try again`),
  };
}
