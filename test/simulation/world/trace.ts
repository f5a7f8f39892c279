/** What happened in a world, line by line, for people; nothing is written down unless somebody will read it. */
import type { Log } from '../../../runtime/log.ts';
import type { SimulatedTime } from './time.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;

export class Trace {
  readonly lines: string[] = [];
  private readonly time: SimulatedTime;
  private readonly isKept: boolean;

  constructor(time: SimulatedTime, isKept: boolean) {
    this.time = time;
    this.isKept = isKept;
  }

  /** `who` did or saw `what`. */
  note(who: string, what: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (!this.isKept) return;
    const words = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
    this.lines.push(`${(this.time.nowMs / 1000).toFixed(3).padStart(8)} ${who.padEnd(12)} ${what}${words.join('')}`);
  }

  /** A process's log, which ends up here. */
  logOf(who: string): Log {
    const write = this.isKept
      ? (fields: Record<string, unknown>, message: string) => this.note(who, message, fields)
      : () => undefined;
    const log = { ...Object.fromEntries(levels.map((level) => [level, write])), child: () => log };
    return log as unknown as Log;
  }
}
