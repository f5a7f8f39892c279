/** What was wrong where and when, as far as it explains what a well-behaved cluster does then. */

/** A host's name, or a part that concerns every host. */
export type Disturbed = string;

interface Disturbance {
  readonly what: Disturbed;
  readonly fromMs: number;
  untilMs: number;
}

export class Disturbances {
  private readonly all: Disturbance[] = [];

  note(what: Disturbed, fromMs: number, untilMs: number): void {
    this.all.push({ what, fromMs, untilMs });
  }

  /** Whether one of these was disturbed at some time since then. */
  since(sinceMs: number, ...what: readonly Disturbed[]): boolean {
    return this.all.some((one) => one.untilMs >= sinceMs && what.includes(one.what));
  }

  /** Whether anything at all was. */
  anySince(sinceMs: number): boolean {
    return this.all.some((one) => one.untilMs >= sinceMs);
  }
}
