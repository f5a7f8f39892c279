/** Creating, relabelling, rotating and removing secrets and configs. Their content is sealed before it is written anywhere. */
import type { Bucket, Entry } from '../../bus/bus.ts';
import type { PayloadKind, PayloadRecord, PayloadSpec } from '../../model/payload.ts';
import { isConflict, PlimsollError } from '../../runtime/errors.ts';
import { checkPayload } from '../payloads/payload-rules.ts';
import { usersOf } from '../payloads/payload-use.ts';
import { Claims } from './claims.ts';
import { invalid, notFound, StaleVersionError } from './errors.ts';
import { newPayload, payloadNameClaim } from './payload-names.ts';
import { PayloadRotation, type Rotation } from './payload-rotation.ts';
import type { ServiceWishes } from './service-wishes.ts';
import { announce } from './wish-events.ts';
import type { WishParts } from './wish-parts.ts';

export class PayloadWishes {
  private readonly parts: WishParts;
  private readonly claims: Claims;
  private readonly kind: PayloadKind;
  private readonly rotation: PayloadRotation;

  constructor(parts: WishParts, kind: PayloadKind, services: Pick<ServiceWishes, 'update'>) {
    this.parts = parts;
    this.claims = new Claims(parts.buckets.claims, parts.log);
    this.kind = kind;
    this.rotation = new PayloadRotation(parts, kind, services);
  }

  /** Answers the new id. Throws `conflict` when the name is taken. */
  async create(spec: PayloadSpec, content: Uint8Array): Promise<string> {
    checkPayload(this.kind, spec, content);
    const id = this.parts.newId();
    const claim = payloadNameClaim(this.kind, spec.Name);
    if (this.named(spec.Name)) throw claim.refusal({ v: 1, ownerId: '', ownerName: spec.Name });
    const taken = await this.claims.take([claim], { v: 1, ownerId: id, ownerName: spec.Name });
    await this.claims.undoneUnlessWritten(taken, id, async () => {
      await this.store(this.bucket.create(id, newPayload(this.parts, id, spec, this.parts.vault.seal(id, content))));
    });
    await announce(this.parts, this.kind, id, 'create', { name: spec.Name });
    return id;
  }

  /** Labels only: `content` may be given again, and must then be the same. Throws StaleVersionError. */
  async relabel(id: string, spec: PayloadSpec, content: Uint8Array | undefined, version: number): Promise<void> {
    const { value, revision } = await this.stored(id);
    if (revision !== version) throw new StaleVersionError();
    const isSame =
      spec.Name === value.spec.Name &&
      spec.Templating?.Name === value.spec.Templating?.Name &&
      (content === undefined || content.length === 0 || this.content(value).equals(content));
    if (!isSame) throw invalid('only updates to Labels are allowed');
    const updatedAtMs = this.parts.clock.wallMs();
    const after = { ...value, spec: { ...value.spec, Labels: spec.Labels }, updatedAtMs };
    await this.store(this.bucket.update(id, after, revision)).catch(asStale);
    await announce(this.parts, this.kind, id, 'update', { name: value.spec.Name });
  }

  /** Throws `invalid`, naming the services, while any refers to it. */
  async remove(id: string): Promise<void> {
    const { value, revision } = await this.stored(id);
    const users = usersOf(this.parts.snapshot(), this.kind, id).map((service) => service.spec.Name);
    if (users.length > 0) {
      const services = `service${users.length > 1 ? 's' : ''}: ${users.join(', ')}`;
      throw invalid(`${this.kind} '${value.spec.Name}' is in use by the following ${services}`);
    }
    if (value.successor !== undefined) throw unfinished(this.kind, value.spec.Name, value.successor.name);
    await this.bucket.delete(id, revision);
    await this.parts.barrier.vanished(this.bucketName, id);
    await this.claims.release([payloadNameClaim(this.kind, value.spec.Name).key], id);
    await announce(this.parts, this.kind, id, 'remove', { name: value.spec.Name });
  }

  /**
   * Puts a new version under the name; the one before is kept as `<name>.v<number>`. Services that refer to it are updated
   * to the new one, each by its own update configuration. A rotation that broke off is finished first; that is all there is
   * to do where it had the same content.
   */
  async rotate(id: string, content: Uint8Array): Promise<Rotation> {
    return this.rotation.rotate(id, content);
  }

  /** The content in clear; for the API of configs and for nodes. */
  content(record: PayloadRecord): Buffer {
    return Buffer.from(this.parts.vault.open(record.id, record.sealed));
  }

  private get bucketName(): 'secrets' | 'configs' {
    return `${this.kind}s`;
  }

  private get bucket(): Bucket<PayloadRecord> {
    return this.parts.buckets[this.bucketName];
  }

  /** Claims of names whose record came later than a minute are swept: the records themselves count too. */
  private named(name: string): boolean {
    const lower = name.toLowerCase();
    const records = this.parts.snapshot()[this.bucketName].values();
    return [...records].some(({ value: { spec, successor } }) =>
      [spec.Name, successor?.name].some((known) => known?.toLowerCase() === lower),
    );
  }

  private async stored(id: string): Promise<Entry<PayloadRecord>> {
    const entry = await this.bucket.get(id);
    if (entry === undefined) throw notFound(this.kind, id);
    return entry;
  }

  private async store(write: Promise<number>): Promise<void> {
    await this.parts.barrier.reached(this.bucketName, await write);
  }
}

function asStale(error: unknown): never {
  throw isConflict(error) ? new StaleVersionError() : error;
}

function unfinished(kind: PayloadKind, name: string, successor: string): PlimsollError {
  const words = `${kind} '${name}' cannot be removed: the rotation of '${successor}' has not ended`;
  return new PlimsollError('conflict', `${words}; run "plim secret rotate ${successor}" again`);
}
