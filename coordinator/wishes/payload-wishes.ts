/** Creating, relabelling, rotating and removing secrets and configs. Their content is sealed before it is written anywhere. */
import type { Bucket, Entry } from '../../bus/bus.ts';
import type { PayloadKind, PayloadRecord, PayloadSpec } from '../../model/payload.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { checkPayload } from '../payloads/payload-rules.ts';
import { usersOf, withReference } from '../payloads/payload-use.ts';
import { type Claim, Claims } from './claims.ts';
import { invalid, mayHaveBeenWritten, notFound, StaleVersionError } from './errors.ts';
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

export class PayloadWishes {
  private readonly parts: WishParts;
  private readonly claims: Claims;
  private readonly kind: PayloadKind;
  private readonly services: Pick<ServiceWishes, 'update'>;

  constructor(parts: WishParts, kind: PayloadKind, services: Pick<ServiceWishes, 'update'>) {
    this.parts = parts;
    this.claims = new Claims(parts.buckets.claims, parts.log);
    this.kind = kind;
    this.services = services;
  }

  /** Answers the new id. Throws `conflict` when the name is taken. */
  async create(spec: PayloadSpec, content: Uint8Array): Promise<string> {
    checkPayload(this.kind, spec, content);
    const id = this.parts.newId();
    const claim = this.nameClaim(spec.Name);
    if (this.named(spec.Name)) throw claim.refusal({ v: 1, ownerId: '', ownerName: spec.Name });
    const taken = await this.claims.take([claim], { v: 1, ownerId: id, ownerName: spec.Name });
    try {
      await this.store(this.bucket.create(id, this.newRecord(id, spec, content, 1)));
    } catch (error) {
      if (!mayHaveBeenWritten(error)) await this.claims.release(taken, id);
      throw error;
    }
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
    await this.bucket.delete(id, revision);
    await this.parts.barrier.vanished(this.bucketName, id);
    await this.claims.release([this.nameClaim(value.spec.Name).key], id);
    await announce(this.parts, this.kind, id, 'remove', { name: value.spec.Name });
  }

  /**
   * Puts a new version under the name; the one before is kept as `<name>.v<number>`. Services that refer to it are updated
   * to the new one, each by its own update configuration.
   */
  async rotate(id: string, content: Uint8Array): Promise<Rotation> {
    const former = await this.stored(id);
    const { spec, version } = former.value;
    checkPayload(this.kind, spec, content);
    const formerName = `${spec.Name}.v${version}`;
    checkPayload(this.kind, { ...spec, Name: formerName }, content);
    const newId = this.parts.newId();
    await this.claims.take([this.nameClaim(formerName)], { v: 1, ownerId: id, ownerName: formerName });
    await this.rename(former, formerName);
    await this.handOver(spec.Name, id, newId);
    await this.store(this.bucket.create(newId, this.newRecord(newId, spec, content, version + 1)));
    await announce(this.parts, this.kind, newId, 'create', { name: spec.Name, version: String(version + 1) });
    const users = usersOf(this.parts.snapshot(), this.kind, id);
    for (const user of users) await this.pointAt(user.id, id, { id: newId, name: spec.Name });
    return { id: newId, version: version + 1, formerName, services: users.map((user) => user.spec.Name) };
  }

  /** The content in clear; for the API of configs and for nodes. */
  content(record: PayloadRecord): Buffer {
    return Buffer.from(this.parts.vault.open(record.id, record.sealed));
  }

  private async rename({ value, revision }: Entry<PayloadRecord>, name: string): Promise<void> {
    const renamed = { ...value, spec: { ...value.spec, Name: name }, updatedAtMs: this.parts.clock.wallMs() };
    await this.store(this.bucket.update(value.id, renamed, revision)).catch(asStale);
  }

  private async handOver(name: string, fromId: string, toId: string): Promise<void> {
    const claim = this.nameClaim(name);
    await this.claims.release([claim.key], fromId);
    await this.claims.take([claim], { v: 1, ownerId: toId, ownerName: name });
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

  private newRecord(id: string, spec: PayloadSpec, content: Uint8Array, version: number): PayloadRecord {
    const nowMs = this.parts.clock.wallMs();
    const sealed = this.parts.vault.seal(id, content);
    return { v: 1, id, spec, sealed, version, createdAtMs: nowMs, updatedAtMs: nowMs };
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
    return [...records].some((entry) => entry.value.spec.Name.toLowerCase() === lower);
  }

  private nameClaim(name: string): Claim {
    return {
      key: `${this.kind}.${name.toLowerCase()}`,
      refusal: () => new PlimsollError('conflict', `${this.kind} ${name} already exists`),
    };
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
  throw error instanceof PlimsollError && error.code === 'conflict' ? new StaleVersionError() : error;
}
