/**
 * Who leads. The lease is one record in memory that lives 3 s and is renewed each second; its epoch comes from a durable
 * record (plim_spec `epoch.leader`), so it grows even when the lease expired or its bucket was emptied.
 * A leader that is gone is known by "nobody answers plim.leader.ping" three times in a row; a frozen one by expiry.
 */
import { z } from 'zod';
import type { LeaseRecord } from '../model/lease-record.ts';
import { type Clock, Waits, withDeadline } from '../runtime/clock.ts';
import { isAbort, isConflict, messageOf, PlimsollError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { leaseTimeMs } from './bucket-definitions.ts';
import type { Buckets } from './buckets.ts';
import type { Bus, Entry } from './bus.ts';
import { subjects } from './subjects.ts';

const RENEW_MS = 1_000;
/** A leader stops half a second before its lease ends on the server. */
const SAFETY_MS = 500;
const PING_MS = 150;
const PINGS_MISSED = 3;
const PING_TIMEOUT_MS = 500;
const RETRY_MS = 250;
/** A lease cannot wait for an answer as long as other requests can: several attempts must fit into its time. */
const RENEWAL_ANSWER_MS = 750;
/** A leader that answered is asked again that much later. */
const ANSWERED_MS = 150;

export const leaseKey = 'leader';
const epochKey = 'leader';
/** Made once: schemas are dear to make. */
const Anything = z.unknown();

export interface LeaseHolder {
  readonly coordinatorId: string;
  readonly nodeId: string;
}

export interface LeaseParts {
  readonly bus: Bus;
  readonly buckets: Buckets;
  readonly clock: Clock;
  readonly log: Log;
  readonly holder: LeaseHolder;
}

export interface LeaseCallbacks {
  /**
   * We lead from now: former leaders are fenced off. `signal` aborts when leadership ends; not waited for. `holdsLease` says
   * by our own clock whether the lease can still be ours: a process that was frozen knows it before any timer has fired.
   */
  readonly onLead: (epoch: number, signal: AbortSignal, holdsLease: () => boolean) => void;
  readonly onLose: (epoch: number, reason: string) => void;
}

/** Candidate, then leader, then candidate again, until `signal` aborts; then the lease is given back. */
export async function runLease(parts: LeaseParts, callbacks: LeaseCallbacks, signal: AbortSignal): Promise<void> {
  const waits = new Waits(parts.clock, signal);
  let failing = false;
  while (!signal.aborted) {
    let waitMs = RETRY_MS;
    try {
      const held = await acquire(parts, signal);
      failing = false;
      waitMs = held === 'led' ? ANSWERED_MS + RETRY_MS : RETRY_MS;
      if (held && held !== 'led') await lead(parts, callbacks, held, signal);
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      if (!failing) parts.log.warn({ error: messageOf(error) }, 'the lease could not be read or taken, trying again');
      failing = true;
    }
    await waits.wait(waitMs);
  }
}

interface HeldLease {
  readonly record: LeaseRecord;
  readonly revision: number;
  /** When the write that made it ours was sent, on the elapsed clock: it is ours for a lease time after that. */
  readonly sentAtMs: number;
}

/** Tries to become the leader if there seems to be none; `led` when one answers, undefined when another was faster. */
async function acquire(parts: LeaseParts, signal: AbortSignal): Promise<HeldLease | 'led' | undefined> {
  const sign = await askLeader(parts);
  if (sign === 'answer') return 'led';
  const found = await parts.buckets.leases.get(leaseKey);
  if (found && (sign === 'silence' || !(await leaderIsGone(parts, found, signal)))) return undefined;
  if (signal.aborted) return undefined;
  try {
    return await take(parts, found);
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}

async function take(parts: LeaseParts, found: Entry<LeaseRecord> | undefined): Promise<HeldLease> {
  const { leases } = parts.buckets;
  const record = leaseRecord(parts.holder, await nextEpoch(parts.buckets), 0);
  const sentAtMs = parts.clock.elapsedMs();
  const revision = found
    ? await leases.update(leaseKey, record, found.revision)
    : await leases.create(leaseKey, record);
  return { record, revision, sentAtMs };
}

/** True when nobody answers for the leader, three times in a row, and it has not renewed meanwhile. */
async function leaderIsGone(parts: LeaseParts, found: Entry<LeaseRecord>, signal: AbortSignal): Promise<boolean> {
  for (let missed = 0; missed < PINGS_MISSED && !signal.aborted; missed += 1) {
    if ((await askLeader(parts)) !== 'nobody') return false;
    if (missed < PINGS_MISSED - 1) await parts.clock.sleep(PING_MS, signal);
  }
  const now = await parts.buckets.leases.get(leaseKey);
  return now?.revision === found.revision;
}

/** A leader that is slow or frozen still listens: only "no responders" says that its process is gone. */
async function askLeader(parts: LeaseParts): Promise<'answer' | 'silence' | 'nobody'> {
  try {
    await parts.bus.request(subjects.leaderPing, null, Anything, PING_TIMEOUT_MS);
    return 'answer';
  } catch (error) {
    if (!parts.bus.connected) throw error;
    return error instanceof PlimsollError && error.code === 'unavailable' ? 'nobody' : 'silence';
  }
}

/** A number no leader has had before. Not every number becomes a leader's. */
async function nextEpoch(buckets: Buckets): Promise<number> {
  const stored = await buckets.epochs.get(epochKey);
  const epoch = (stored?.value.epoch ?? 0) + 1;
  if (stored) await buckets.epochs.update(epochKey, { v: 1, epoch }, stored.revision);
  else await buckets.epochs.create(epochKey, { v: 1, epoch });
  return epoch;
}

function leaseRecord(holder: LeaseHolder, epoch: number, renewal: number): LeaseRecord {
  return { v: 1, epoch, holderId: holder.coordinatorId, holderNodeId: holder.nodeId, renewal };
}

/** Leads until the lease is lost or `signal` aborts. */
async function lead(
  parts: LeaseParts,
  callbacks: LeaseCallbacks,
  first: HeldLease,
  signal: AbortSignal,
): Promise<void> {
  const { epoch } = first.record;
  const term = new AbortController();
  const answering = parts.bus.respond(subjects.leaderPing, Anything, async () => ({ epoch }));
  const lease = new TermLease(parts, first);
  let announced = false;
  let reason = 'the coordinator stops';
  const endTerm = () => term.abort();
  signal.addEventListener('abort', endTerm, { once: true });
  if (signal.aborted) endTerm();
  try {
    const begin = beginTerm(parts, epoch, term.signal).then(() => {
      if (term.signal.aborted) return;
      announced = true;
      parts.log.info({ epoch }, 'this coordinator leads');
      callbacks.onLead(epoch, term.signal, () => lease.isHeld);
    });
    reason = await Promise.race([lease.keep(term.signal), begin.then(never)]);
  } catch (error) {
    if (!isAbort(error)) reason = messageOf(error);
  } finally {
    signal.removeEventListener('abort', endTerm);
    answering.stop();
    term.abort();
    if (announced) callbacks.onLose(epoch, reason);
    parts.log.info({ epoch, reason }, 'this coordinator no longer leads');
    await lease.giveBack();
  }
}

const never = () => new Promise<never>(() => {});

/** Shuts former leaders out: on the server, or where it cannot by waiting until they must have stopped. */
async function beginTerm(parts: LeaseParts, epoch: number, signal: AbortSignal): Promise<void> {
  const stored = await parts.buckets.epochs.get(epochKey);
  if (stored && stored.value.epoch > epoch) {
    throw new PlimsollError(
      'conflict',
      `Cannot lead as epoch ${epoch}: epoch ${stored.value.epoch} was handed out since`,
    );
  }
  await parts.buckets.raiseFence(epoch);
  if (!parts.buckets.serverFences) await parts.clock.sleep(leaseTimeMs, signal);
}

/** One term's lease record: renewed in time, or known to be lost by our own clock even when NATS hangs. */
class TermLease {
  private held: HeldLease;
  /** When the next renewal was tried first; undefined when it was not yet. */
  private firstSentAtMs: number | undefined;
  private readonly parts: LeaseParts;

  constructor(parts: LeaseParts, first: HeldLease) {
    this.parts = parts;
    this.held = first;
  }

  get isHeld(): boolean {
    return this.leftMs > 0;
  }

  /** Renews until that fails or `signal` aborts; answers why it ended. */
  async keep(signal: AbortSignal): Promise<string> {
    const renewing = this.renewUntilLost(signal);
    const waits = new Waits(this.parts.clock, signal);
    while (!signal.aborted) {
      const { leftMs } = this;
      if (leftMs <= 0) return `the lease could not be renewed for ${leaseTimeMs - SAFETY_MS} ms`;
      const lost = await Promise.race([renewing, waits.wait(leftMs)]);
      if (lost !== undefined) return lost;
    }
    return 'the coordinator stops';
  }

  /** Lets the next leader begin at once. */
  async giveBack(): Promise<void> {
    await this.parts.buckets.leases.delete(leaseKey, this.held.revision).catch(() => undefined);
  }

  private get leftMs(): number {
    return this.held.sentAtMs + leaseTimeMs - SAFETY_MS - this.parts.clock.elapsedMs();
  }

  private async renewUntilLost(signal: AbortSignal): Promise<string> {
    const { clock, log } = this.parts;
    const waits = new Waits(clock, signal);
    let waitMs = RENEW_MS;
    let failing = false;
    while (!signal.aborted) {
      await waits.wait(waitMs);
      if (signal.aborted) break;
      try {
        await this.renew();
        failing = false;
        // The lease runs from when its renewal was sent, however late the answer came.
        waitMs = Math.max(RETRY_MS, this.held.sentAtMs + RENEW_MS - clock.elapsedMs());
      } catch (error) {
        if (isConflict(error)) return 'another coordinator holds the lease';
        if (!failing) log.warn({ error: messageOf(error) }, 'the lease could not be renewed, trying again');
        failing = true;
        waitMs = RETRY_MS;
      }
    }
    return 'the coordinator stops';
  }

  /** After a failure the record itself says whether the renewal happened: this attempt's, or one before it. */
  private async renew(): Promise<void> {
    const { record, revision } = this.held;
    const sentAtMs = this.parts.clock.elapsedMs();
    this.firstSentAtMs ??= sentAtMs;
    const renewed = leaseRecord(this.parts.holder, record.epoch, record.renewal + 1);
    try {
      const next = await this.inTime(this.parts.buckets.leases.update(leaseKey, renewed, revision));
      this.hold({ record: renewed, revision: next, sentAtMs });
    } catch (error) {
      const found = await this.inTime(this.parts.buckets.leases.get(leaseKey));
      if (!found || !isSameRenewal(found.value, renewed)) throw error;
      this.hold({ record: renewed, revision: found.revision, sentAtMs: this.firstSentAtMs });
    }
  }

  private hold(held: HeldLease): void {
    this.held = held;
    this.firstSentAtMs = undefined;
  }

  private inTime<T>(answer: Promise<T>): Promise<T> {
    const late = () => new PlimsollError('timeout', `No answer about the lease within ${RENEWAL_ANSWER_MS} ms`);
    return withDeadline(this.parts.clock, RENEWAL_ANSWER_MS, answer, late);
  }
}

function isSameRenewal(one: LeaseRecord, other: LeaseRecord): boolean {
  return one.epoch === other.epoch && one.holderId === other.holderId && one.renewal === other.renewal;
}
