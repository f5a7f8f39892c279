/** Says to the cluster what this host is, under a number that grows with each start: a cloned disk is found out. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Bucket, Bus, Entry } from '../bus/bus.ts';
import { InstanceReply } from '../model/messages.ts';
import { type NodeRecord } from '../model/node-record.ts';
import { Id } from '../model/record-format.ts';
import type { Clock } from '../runtime/clock.ts';
import { isConflict, messageOf, PlimsollError } from '../runtime/errors.ts';
import type { JsonFiles } from '../runtime/files.ts';
import type { Log } from '../runtime/log.ts';

const StoredIncarnation = z.object({
  incarnation: z.int().min(1),
  instance: Id,
  /** The bus has accepted it; until then the next start tries the same one. */
  registered: z.boolean(),
});
export type Incarnation = z.infer<typeof StoredIncarnation>;

function pathIn(stateDir: string): string {
  return join(stateDir, 'node', 'incarnation.json');
}

/** Where an agent's own files are. */
export interface StateFiles {
  readonly files: JsonFiles;
  readonly stateDir: string;
}

export interface IncarnationParts extends StateFiles {
  /** Makes ids nobody has had before. */
  readonly newId: () => string;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Log;
}

/** The incarnation of this start, stored before it is used. */
export async function nextIncarnation(parts: IncarnationParts): Promise<Incarnation> {
  const { files, stateDir, newId } = parts;
  const last = await lastIncarnation(parts);
  if (last && !last.registered) return last;
  const next = { incarnation: (last?.incarnation ?? 0) + 1, instance: newId(), registered: false };
  await files.write(pathIn(stateDir), next);
  return next;
}

/** Where the file is damaged, the count goes on from the time in seconds: no host was ever started that often. */
async function lastIncarnation({
  files,
  stateDir,
  newId,
  clock,
  log,
}: IncarnationParts): Promise<Incarnation | undefined> {
  const path = pathIn(stateDir);
  try {
    const json = await files.read(path);
    return json === undefined ? undefined : StoredIncarnation.parse(json);
  } catch (error) {
    const incarnation = Math.floor(clock.wallMs() / 1000);
    log.error(
      { path, error: messageOf(error), incarnation },
      'cannot read the number of this start: going on from the time',
    );
    return { incarnation, instance: newId(), registered: true };
  }
}

export async function markRegistered({ files, stateDir }: StateFiles, incarnation: Incarnation): Promise<void> {
  await files.write(pathIn(stateDir), { ...incarnation, registered: true });
}

const INSTANCE_TIMEOUT_MS = 1_000;

/**
 * Throws `precondition` when another agent answers for this node: it lives, so that we are no restart of it but its copy.
 * One that does not answer, because it ended or hangs, is replaced.
 */
export async function refuseSecond(
  bus: Pick<Bus, 'askNode'>,
  own: Pick<NodeRecord, 'id' | 'incarnation' | 'instance'>,
): Promise<void> {
  const other = await bus.askNode(own.id, 'instance', {}, InstanceReply, INSTANCE_TIMEOUT_MS).catch(nobody);
  if (other && other.instance !== own.instance) throw cloneError(other, own);
}

function nobody(error: unknown): undefined {
  if (error instanceof PlimsollError && (error.code === 'unavailable' || error.code === 'timeout')) return undefined;
  throw error;
}

const REGISTER_ATTEMPTS = 3;

/**
 * Writes the node's record with CAS. Throws `precondition` when another agent runs as this node under the same or a
 * higher incarnation: two hosts with one identity; `conflict` when what it reads stays behind what is stored, as a lagging
 * server's answers do: try again later.
 */
export async function register(
  nodes: Pick<Bucket<NodeRecord>, 'get' | 'create' | 'update'>,
  record: NodeRecord,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const existing = await nodes.get(record.id);
    refuseClone(existing, record);
    if (existing && sameRecord(existing.value, record)) return;
    try {
      if (existing) await nodes.update(record.id, record, existing.revision);
      else await nodes.create(record.id, record);
      return;
    } catch (error) {
      if (!isConflict(error) || attempt === REGISTER_ATTEMPTS) throw error;
    }
  }
}

/** Is the record another agent's, started after us (or at once with us) under our identity? */
export function isTakenOver(existing: NodeRecord, own: Pick<NodeRecord, 'incarnation' | 'instance'>): boolean {
  return existing.incarnation >= own.incarnation && existing.instance !== own.instance;
}

function refuseClone(existing: Entry<NodeRecord> | undefined, record: NodeRecord): void {
  if (existing && isTakenOver(existing.value, record)) throw cloneError(existing.value, record);
}

export function cloneError(
  existing: Omit<InstanceReply, 'instance'>,
  own: Pick<NodeRecord, 'id' | 'incarnation'>,
): PlimsollError {
  const other = `${existing.hostname} (${existing.address}, incarnation ${existing.incarnation})`;
  return new PlimsollError(
    'precondition',
    `Cannot run as node ${own.id} (incarnation ${own.incarnation}): ${other} runs under the same identity. ` +
      'Was this disk cloned? Run "plim leave" and "plim join" on one of the two hosts',
  );
}

function sameRecord(a: NodeRecord, b: NodeRecord): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
