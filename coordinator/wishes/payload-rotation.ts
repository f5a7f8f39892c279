/**
 * Puts a new version under the name of a secret. What is to become of it is written into the version before, together with
 * that one's new name: from then on every step can be done again, by whoever is asked, until nothing is left to do.
 */
import type { Bucket, Entry } from '../../bus/bus.ts';
import type { PayloadKind, PayloadRecord, PayloadSuccessor } from '../../model/payload.ts';
import { isConflict } from '../../runtime/errors.ts';
import { checkPayload } from '../payloads/payload-rules.ts';
import { usersOf, withReference } from '../payloads/payload-use.ts';
import { Claims } from './claims.ts';
import { notFound, StaleVersionError } from './errors.ts';
import { newPayload, payloadNameClaim } from './payload-names.ts';
import type { ServiceWishes } from './service-wishes.ts';
import { announce } from './wish-events.ts';
import type { WishParts } from './wish-parts.ts';

/** Tries to point a service at a new version while others change it too. */
const MAX_TRIES = 5;

export interface Rotation {
  readonly id: string;
  readonly version: number;
  /** The name the version before has now. */
  readonly formerName: string;
  /** Names of the services that are being rolled to the new version. */
  readonly services: readonly string[];
}

/** The version before, with what follows it. */
type Begun = PayloadRecord & { readonly successor: PayloadSuccessor };

export class PayloadRotation {
  private readonly parts: WishParts;
  private readonly kind: PayloadKind;
  private readonly claims: Claims;
  private readonly services: Pick<ServiceWishes, 'update'>;

  constructor(parts: WishParts, kind: PayloadKind, services: Pick<ServiceWishes, 'update'>) {
    this.parts = parts;
    this.kind = kind;
    this.claims = new Claims(parts.buckets.claims, parts.log);
    this.services = services;
  }

  /** `id` is that of the version to be followed, or of one whose rotation broke off. */
  async rotate(id: string, content: Uint8Array): Promise<Rotation> {
    const open = await this.brokenOff(id);
    if (open === undefined) return this.finish(await this.begin(id, content));
    const finished = await this.finish(open);
    const { id: newId, sealed } = open.successor;
    const isSame = Buffer.from(this.parts.vault.open(newId, sealed)).equals(content);
    return isSame ? finished : this.finish(await this.begin(newId, content));
  }

  /** The rotation this version was to follow, or to be followed in, that has not come to its end. */
  private async brokenOff(id: string): Promise<Begun | undefined> {
    const records = [...this.parts.snapshot()[this.bucketName].values()].map(({ value }) => value);
    const found = records.find(({ successor, ...own }) => successor && (own.id === id || successor.id === id));
    const current = found && (await this.bucket.get(found.id))?.value;
    return current && isBegun(current) ? current : undefined;
  }

  private async begin(id: string, content: Uint8Array): Promise<Begun> {
    const { value, revision } = await this.stored(id);
    const { spec, version } = value;
    const formerName = `${spec.Name}.v${version}`;
    checkPayload(this.kind, spec, content);
    checkPayload(this.kind, { ...spec, Name: formerName }, content);
    const claim = payloadNameClaim(this.kind, formerName);
    await this.claims.take([claim], { v: 1, ownerId: id, ownerName: formerName });
    const newId = this.parts.newId();
    const successor = { id: newId, name: spec.Name, sealed: this.parts.vault.seal(newId, content) };
    return this.write({ ...value, spec: { ...spec, Name: formerName }, successor }, revision);
  }

  private async finish(former: Begun): Promise<Rotation> {
    const { id, spec, version, successor } = former;
    const { id: newId, name } = successor;
    await this.createSuccessor(former);
    const owner = { v: 1, ownerId: newId, ownerName: name } as const;
    await this.claims.handOver(payloadNameClaim(this.kind, name), id, owner);
    const users = usersOf(this.parts.snapshot(), this.kind, id);
    for (const user of users) await this.pointAt(user.id, id, { id: newId, name });
    const { value, revision } = await this.stored(id);
    await this.write({ ...value, successor: undefined }, revision);
    return {
      id: newId,
      version: version + 1,
      formerName: spec.Name,
      services: users.map((user) => user.spec.Name),
    };
  }

  private async createSuccessor({ spec, version, successor: { id, name, sealed } }: Begun): Promise<void> {
    if ((await this.bucket.get(id)) !== undefined) return;
    const record = newPayload(this.parts, id, { ...spec, Name: name }, sealed, version + 1);
    await this.parts.barrier.reached(this.bucketName, await this.bucket.create(id, record));
    await announce(this.parts, this.kind, id, 'create', { name, version: String(version + 1) });
  }

  private async pointAt(serviceId: string, fromId: string, to: { id: string; name: string }): Promise<void> {
    for (let tries = 1; ; tries++) {
      const entry = await this.parts.buckets.services.get(serviceId);
      if (entry === undefined || entry.value.removedAtMs !== undefined) return;
      const spec = withReference(entry.value.spec, { kind: this.kind, id: fromId, name: to.name }, to);
      try {
        await this.services.update(serviceId, spec, entry.revision);
        return;
      } catch (error) {
        if (!(error instanceof StaleVersionError) || tries >= MAX_TRIES) throw error;
      }
    }
  }

  private async write<T extends PayloadRecord>(record: T, revision: number): Promise<T> {
    const written = { ...record, updatedAtMs: this.parts.clock.wallMs() };
    try {
      const next = await this.bucket.update(record.id, written, revision);
      await this.parts.barrier.reached(this.bucketName, next);
      return written;
    } catch (error) {
      throw isConflict(error) ? new StaleVersionError() : error;
    }
  }

  private async stored(id: string): Promise<Entry<PayloadRecord>> {
    const entry = await this.bucket.get(id);
    if (entry === undefined) throw notFound(this.kind, id);
    return entry;
  }

  private get bucketName(): 'secrets' | 'configs' {
    return `${this.kind}s`;
  }

  private get bucket(): Bucket<PayloadRecord> {
    return this.parts.buckets[this.bucketName];
  }
}

function isBegun(record: PayloadRecord): record is Begun {
  return record.successor !== undefined;
}
