/** Hands contents to the nodes whose tasks refer to them, sealed for the asking node alone. */
import type { Bus, Subscription } from '../../bus/bus.ts';
import { sealFor } from '../../bus/identity/sealing.ts';
import { subjects } from '../../bus/subjects.ts';
import { PayloadRequest, type SealedPayload } from '../../model/payload.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { taskGivenTo } from './assigned-task.ts';
import { refersTo } from './payload-use.ts';
import type { Vault } from './vault.ts';

export interface PayloadServiceParts {
  readonly bus: Pick<Bus, 'respond'>;
  readonly snapshot: () => Snapshot;
  readonly vault: Vault;
}

/** Answers agents until it is stopped; any coordinator may. Who asks is in the subject: no node can use another's. */
export function servePayloads(parts: PayloadServiceParts): Subscription {
  return parts.bus.respond(subjects.payloads('*'), PayloadRequest, async (request, subject) =>
    payloadFor(parts, subject.slice(subjects.payloads('').length), request),
  );
}

/** Throws as `taskGivenTo()` does, `refused` too when the task refers to no such thing, `not-found` when there is none. */
export function payloadFor(
  { snapshot, vault }: Omit<PayloadServiceParts, 'bus'>,
  nodeId: string,
  { taskId, kind, id, publicKey }: PayloadRequest,
): SealedPayload {
  const state = snapshot();
  const payloads = state[`${kind}s`];
  if (!refersTo(taskGivenTo(nodeId, taskId, state).template, kind, id)) {
    throw new PlimsollError('refused', `Task ${taskId} on node ${nodeId} does not refer to the ${kind} ${id}`);
  }
  const record = payloads.get(id)?.value;
  if (record === undefined) throw new PlimsollError('not-found', `${kind} ${id} not found`);
  const isTemplate = record.spec.Templating !== undefined;
  return { name: record.spec.Name, isTemplate, ...sealFor(publicKey, vault.open(id, record.sealed)) };
}
