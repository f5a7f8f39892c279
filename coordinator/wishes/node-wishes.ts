/** What operators wish of nodes: labels, availability, removal. */
import type { Entry } from '../../bus/bus.ts';
import type { NodeSpecRecord } from '../../model/node-record.ts';
import { isConflict, PlimsollError } from '../../runtime/errors.ts';
import { notFound, StaleVersionError } from './errors.ts';
import { announce } from './wish-events.ts';
import type { WishParts } from './wish-parts.ts';

export interface NodeWish {
  readonly name?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly role: NodeSpecRecord['role'];
  readonly availability: NodeSpecRecord['availability'];
}

export class NodeWishes {
  private readonly parts: WishParts;

  constructor(parts: WishParts) {
    this.parts = parts;
  }

  /** Throws StaleVersionError unless the stored version is `version`; refuses a change of role by name. */
  async update(id: string, wish: NodeWish, version: number): Promise<void> {
    const { value: before, revision } = await this.stored(id);
    if (revision !== version) throw new StaleVersionError();
    if (wish.role !== this.roleOf(before)) {
      throw new PlimsollError(
        'unsupported',
        `Plimsoll does not support changing the role of a node (Role: ${wish.role})`,
      );
    }
    const after: NodeSpecRecord = {
      ...before,
      name: wish.name,
      labels: { ...wish.labels },
      availability: wish.availability,
      updatedAtMs: this.parts.clock.wallMs(),
    };
    await this.write(id, after, version);
    await announce(this.parts, 'node', id, 'update', { name: this.hostnameOf(id), ...changesOf(before, after) });
  }

  /** Forgets a node and takes its credentials away. Refused while it is alive, unless a worker's is forced. */
  async remove(id: string, force: boolean): Promise<void> {
    const { value, revision } = await this.stored(id);
    const { liveness, leader } = this.parts.snapshot();
    const state = liveness.get(id)?.state;
    const isUp = state !== undefined && state !== 'lost' && state !== 'unknown';
    if (this.roleOf(value) === 'manager' && (isUp || leader?.nodeId === id)) throw managerStays(id);
    if (!force && isUp) {
      throw new PlimsollError('precondition', `node ${id} is not down and can't be removed`);
    }
    const name = this.hostnameOf(id);
    await this.parts.revokeNode(id);
    await this.parts.buckets.nodes.delete(id);
    await this.parts.buckets.meshes.delete(id);
    await this.parts.buckets.nodeSpecs.delete(id, revision);
    await this.parts.barrier.vanished('nodeSpecs', id);
    await announce(this.parts, 'node', id, 'remove', { name });
  }

  private hostnameOf(id: string): string {
    return this.parts.snapshot().nodes.get(id)?.value.hostname ?? id;
  }

  /** A node that runs a coordinator is a manager whatever its record says. */
  private roleOf(spec: NodeSpecRecord): NodeSpecRecord['role'] {
    return this.parts.snapshot().nodes.get(spec.id)?.value.manager ? 'manager' : spec.role;
  }

  private async write(id: string, after: NodeSpecRecord, version: number): Promise<void> {
    try {
      const revision = await this.parts.buckets.nodeSpecs.update(id, after, version);
      await this.parts.barrier.reached('nodeSpecs', revision);
    } catch (error) {
      throw isConflict(error) ? new StaleVersionError() : error;
    }
  }

  private async stored(id: string): Promise<Entry<NodeSpecRecord>> {
    const entry = await this.parts.buckets.nodeSpecs.get(id);
    if (entry === undefined) throw notFound('node', id);
    return entry;
  }
}

/** Swarm wants a manager demoted first; without its node the coordinator's own host could not come back. */
function managerStays(id: string): PlimsollError {
  return new PlimsollError(
    'precondition',
    `node ${id} is a cluster manager and can't be removed: it runs a coordinator; "plim down" there takes it down`,
  );
}

function changesOf(before: NodeSpecRecord, after: NodeSpecRecord): Record<string, string> {
  if (before.availability === after.availability) return {};
  return { 'availability.old': before.availability, 'availability.new': after.availability };
}
