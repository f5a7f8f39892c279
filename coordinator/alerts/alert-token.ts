/** The token Alertmanager shows at `/v1/alerts`: it follows from the cluster's key and a number, and is stored nowhere. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Buckets } from '../../bus/buckets.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import type { Vault } from '../payloads/vault.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';

export interface AlertTokenParts {
  readonly vault: Pick<Vault, 'tokenOf'>;
  readonly buckets: Pick<Buckets, 'clusters'>;
  readonly store: Pick<Store, 'reached' | 'isReadable'>;
  readonly snapshot: () => Snapshot;
}

export class AlertToken {
  private readonly parts: AlertTokenParts;

  constructor(parts: AlertTokenParts) {
    this.parts = parts;
  }

  /** Throws `unavailable` while the record that holds the number cannot be read: a token that was rotated away must not open again. */
  current(): string {
    const { snapshot, store } = this.parts;
    const cluster = snapshot().cluster?.value;
    if (cluster === undefined && !store.isReadable('clusters')) {
      throw new PlimsollError(
        'unavailable',
        'the record of the cluster is damaged, which says what token is the present one: see plim status',
      );
    }
    return this.tokenOf(cluster?.alertTokenNumber ?? 0);
  }

  /** True for `Bearer <the token>`; how long it takes tells nothing of the token. */
  isShownIn(authorization: string | undefined): boolean {
    const shown = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '';
    return timingSafeEqual(digest(shown), digest(this.current()));
  }

  /** Makes a new one; the old one opens nothing any more, on any coordinator. */
  async rotate(): Promise<string> {
    const { buckets, store } = this.parts;
    const entry = await buckets.clusters.get('main');
    if (entry === undefined) {
      throw new PlimsollError('unavailable', 'the record of the cluster is not there yet: try again');
    }
    const alertTokenNumber = (entry.value.alertTokenNumber ?? 0) + 1;
    const revision = await buckets.clusters.update('main', { ...entry.value, alertTokenNumber }, entry.revision);
    await store.reached('clusters', revision);
    return this.tokenOf(alertTokenNumber);
  }

  private tokenOf(number: number): string {
    return this.parts.vault.tokenOf(`plimsoll alerts ${number}`);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
