/** How many replicas of a service planned work (drains, replacing the unhealthy) may take away now. Pure. */
import { type DisruptionBudget, disruptionBudget } from '../../model/service-policy.ts';
import type { Slot, SlotTask } from './slot.ts';

export class Budget {
  private readonly slots: readonly Slot[];
  private readonly labels: Readonly<Record<string, string>> | undefined;
  private counted: { readonly rule: DisruptionBudget; readonly missing: number; readonly ill: number } | undefined;
  private taken = 0;

  /** `slots` are all a service wants. They are looked at when first asked: few plans need to know. */
  constructor(slots: readonly Slot[], labels: Readonly<Record<string, string>> | undefined) {
    this.slots = slots;
    this.labels = labels;
  }

  /** Whether a replica that serves may be stopped before another has taken over; if so, it counts as stopped. */
  takeServing(): boolean {
    const { rule, missing, ill } = this.count();
    return this.take(rule.maxUnavailable - missing - ill);
  }

  /** Whether an unhealthy replica may be replaced: it may serve somebody yet. */
  takeUnhealthy(): boolean {
    const { rule, missing } = this.count();
    return this.take(rule.maxUnavailable - missing);
  }

  private take(allowed: number): boolean {
    if (this.taken >= allowed) return false;
    this.taken += 1;
    return true;
  }

  private count(): NonNullable<Budget['counted']> {
    this.counted ??= this.countNow();
    return this.counted;
  }

  private countNow(): NonNullable<Budget['counted']> {
    const rule = disruptionBudget(this.labels, this.slots.length);
    const unready = this.slots.filter((slot) => !slot.live.some((task) => task.ready));
    const ill = unready.filter((slot) => slot.live.some(isUnhealthy));
    const missing = unready.filter((slot) => !ill.includes(slot) && (rule.isExplicit || !isHopeless(slot)));
    return { rule, missing: missing.length, ill: ill.length };
  }
}

/** Up, found unhealthy, and not told yet to make room for its successor. */
export function isUnhealthy({ status, record }: SlotTask): boolean {
  if (status?.health !== 'unhealthy' || record.desired !== 'running' || status.attempt <= record.replaceAttempt)
    return false;
  return status.state === 'starting' || status.state === 'running';
}

/** Waiting for it would be waiting for ever: it has no place, or fails again and again. */
function isHopeless(slot: Slot): boolean {
  if (slot.live.length === 0) return slot.isPending;
  return slot.live.every((task) => task.failing || task.status?.final === true || task.status?.state === 'rejected');
}
