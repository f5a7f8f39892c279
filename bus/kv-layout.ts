/**
 * How NATS tools lay a key-value bucket over a stream: names, subjects, delete markers. Pure.
 *
 * With one difference: what coordinators write does not come in through `$KV.<bucket>.<key>` but through a subject with a
 * secret in it, which the stream turns into that. A client chooses where the server's answers to it go, and its rights
 * are not asked for that: without the secret a node could have the server publish an answer over anybody's record.
 */
import { headers, type MsgHdrs } from '@nats-io/transport-node';

const OPERATION_HEADER = 'KV-Operation';
const TIME_TO_LIVE_HEADER = 'Nats-TTL';
/** Set by the server on markers it makes itself. */
const MARKER_REASON_HEADER = 'Nats-Marker-Reason';

export function streamOf(bucket: string): string {
  return `KV_${bucket}`;
}

export function subjectOf(bucket: string, key: string): string {
  return `$KV.${bucket}.${key}`;
}

/** Where coordinators write a key. */
export function guardedSubjectOf(writeSecret: string, bucket: string, key: string): string {
  return `plim.write.${writeSecret}.${bucket}.${key}`;
}

/** A message's headers say whether it deletes. */
export function isDeleteMarker(header: MsgHdrs | undefined): boolean {
  if (!header) return false;
  if (header.has(MARKER_REASON_HEADER)) return true;
  return header.has(OPERATION_HEADER) && header.get(OPERATION_HEADER) !== 'PUT';
}

/** Headers of a delete marker; with `lifeSeconds` the server forgets the marker itself after that. */
export function deleteMarkerHeaders(lifeSeconds: number | undefined): MsgHdrs {
  const own = headers();
  own.set(OPERATION_HEADER, 'DEL');
  if (lifeSeconds !== undefined) own.set(TIME_TO_LIVE_HEADER, `${lifeSeconds}s`);
  return own;
}
