/**
 * When the cluster's leader last answered this node. Services with `plimsoll.failover.on-disconnect=stop` run here only
 * as long as that is not too long ago: the leader counts from the same answers when it starts stand-ins. The moment that
 * counts is when the question was sent. It is kept on disk, so that an agent that starts anew while it is cut off does not
 * begin to count from its start.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Bus } from '../bus/bus.ts';
import { subjects } from '../bus/subjects.ts';
import { type FailoverPolicy, failoverPolicy, STOP_MARGIN_MS, stopsOnDisconnect } from '../model/service-policy.ts';
import type { TaskRecord } from '../model/task-record.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { JsonFiles } from '../runtime/files.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { Host, Uptime } from './host.ts';
import type { Permit } from './plan/permit.ts';

const ASK_MS = 1_000;
/** So old an answer may be while no task needs one: a task that comes then runs at once, by a contact that is still good. */
const IDLE_ASK_MS = 3_000;
const ANSWER_TIMEOUT_MS = 1_000;

/** Made once: schemas are dear to make. */
const Anything = z.unknown();

const ContactFile = z.object({ v: z.literal(1), bootId: z.string(), sinceBootMs: z.number() });

export interface ContactParts {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly host: Pick<Host, 'uptime'>;
  readonly files: JsonFiles;
  readonly stateDir: string;
  readonly log: Log;
  readonly metrics: Pick<AgentMetrics, 'diskFailures'>;
}

/** The tasks that may depend on it. */
export interface ContactTasks {
  readonly needsContact: boolean;
  /** Looks at their permits as they are now. */
  checkPermits(): void;
  /** Forgets what allowed tasks without a permit to run again. */
  voidResumptions(): void;
}

export class Contact {
  private readonly parts: ContactParts;
  /** Undefined before the first answer. */
  private last: Uptime | 'long ago' | undefined;
  /** Whether an answer to this life of the agent is on disk. */
  private isStored = false;
  /** By the labels they are read from: asked for several times a second. */
  private readonly policies = new WeakMap<TaskRecord['serviceLabels'], FailoverPolicy>();

  constructor(parts: ContactParts) {
    this.parts = parts;
  }

  /** Takes up what an earlier life of this agent left; tasks it ran without leaving word were last heard of long ago. */
  async restore(records: readonly TaskRecord[]): Promise<void> {
    try {
      const json = await this.parts.files.read(this.path);
      if (json !== undefined) this.last = ContactFile.parse(json);
    } catch (error) {
      this.diskFailed(error, 'cannot read when the leader was last heard');
    }
    if (records.some(needsContact)) this.last ??= 'long ago';
  }

  /** Whether a task may run now. */
  permitFor({ serviceLabels }: Pick<TaskRecord, 'serviceLabels'>): Permit {
    const { onDisconnect, afterMs } = this.policyOf(serviceLabels);
    if (onDisconnect === 'keep') return 'valid';
    if (this.last === undefined) return 'unknown';
    return this.ageMs < afterMs ? 'valid' : 'expired';
  }

  /** How long a task has run without a permit, in milliseconds; 0 while it has one. */
  expiredForMs({ serviceLabels }: Pick<TaskRecord, 'serviceLabels'>): number {
    const { onDisconnect, afterMs } = this.policyOf(serviceLabels);
    return onDisconnect === 'keep' || this.last === undefined ? 0 : Math.max(0, this.ageMs - afterMs);
  }

  private policyOf(labels: TaskRecord['serviceLabels']): FailoverPolicy {
    const known = this.policies.get(labels);
    if (known) return known;
    const policy = failoverPolicy(labels);
    this.policies.set(labels, policy);
    return policy;
  }

  /** How long ago the leader answered; infinite when it never did. */
  private get ageMs(): number {
    if (this.last === undefined || this.last === 'long ago') return Number.POSITIVE_INFINITY;
    const { bootId, sinceBootMs } = this.parts.host.uptime();
    // The host has been started anew since: for how long it was off nobody can be sure, its wall clock least of all.
    if (bootId !== this.last.bootId) return Number.POSITIVE_INFINITY;
    return sinceBootMs - this.last.sinceBootMs;
  }

  /**
   * Asks the leader until the signal aborts: every second while there are tasks that need it, and seldom while there are
   * none, so that a silence is known to be one. After a silence it asks only once `knowsAll` says that every assignment of
   * this node is known here.
   */
  async keep(
    bus: Pick<Bus, 'request'>,
    tasks: ContactTasks,
    knowsAll: () => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      const isDue = tasks.needsContact || this.ageMs >= IDLE_ASK_MS;
      if (isDue && (knowsAll() || !this.wasSilent)) await this.ask(bus, tasks);
      await this.parts.clock.sleep(ASK_MS, signal).catch(() => undefined);
    }
  }

  /**
   * The leader may have given tasks up meanwhile, also such as were assigned while this node was away and are not known here
   * yet. They have to be found expired before an answer counts (simulation, seed 313).
   */
  private get wasSilent(): boolean {
    return this.ageMs >= STOP_MARGIN_MS;
  }

  private async ask(bus: Pick<Bus, 'request'>, tasks: ContactTasks): Promise<void> {
    const askedAt = this.parts.host.uptime();
    try {
      await bus.request(subjects.contact(this.parts.nodeId), null, Anything, ANSWER_TIMEOUT_MS);
    } catch {
      return; // That nobody answers is what is measured here.
    }
    tasks.checkPermits();
    tasks.voidResumptions();
    this.last = askedAt;
    tasks.checkPermits();
    // A later life that finds an old answer is as careful as it must be; one that finds none takes itself for new.
    if (tasks.needsContact || !this.isStored) await this.store(askedAt);
  }

  private async store(answered: Uptime): Promise<void> {
    try {
      await this.parts.files.write(this.path, { v: 1, ...answered });
      this.isStored = true;
    } catch (error) {
      this.diskFailed(error, 'cannot store when the leader was last heard');
    }
  }

  private diskFailed(error: unknown, what: string): void {
    this.parts.metrics.diskFailures.inc();
    this.parts.log.error({ error: messageOf(error) }, what);
  }

  private get path(): string {
    return join(this.parts.stateDir, 'node', 'contact.json');
  }
}

/** Whether a task may run only where the leader is heard. */
export function needsContact({ serviceLabels }: Pick<TaskRecord, 'serviceLabels'>): boolean {
  return stopsOnDisconnect(serviceLabels);
}
