/** Starting in order, stopping in reverse: what a daemon does on SIGTERM. */
import { setMaxListeners } from 'node:events';
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

/** More than this many listeners are worth a warning. */
const PARTS_AT_MOST = 64;

interface Part {
  readonly name: string;
  readonly stop: () => Promise<void> | void;
}

/** Collects what must be undone, in reverse order, when the process ends or a start fails halfway. */
export class Lifecycle {
  private readonly stops: Part[] = [];
  private readonly controller = new AbortController();
  private stopping: Promise<void> | undefined;
  private hasStopped = false;
  private readonly log: Log;

  constructor(log: Log) {
    // Every part of a daemon listens for its end: many, and no leak.
    setMaxListeners(PARTS_AT_MOST, this.controller.signal);
    this.log = log;
  }

  /** Aborts as soon as the stop begins. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** What a start still opens when the stop is over is undone at once. */
  onStop(name: string, stop: () => Promise<void> | void): void {
    if (this.hasStopped) void this.undo({ name, stop });
    else this.stops.push({ name, stop });
  }

  /** Stops everything once, newest first; a failing stop is logged and the rest goes on. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    this.controller.abort();
    // What comes while this goes on is appended, and undone last.
    for (const part of this.stops.reverse()) await this.undo(part);
    this.hasStopped = true;
  }

  private async undo({ name, stop }: Part): Promise<void> {
    try {
      await stop();
    } catch (error) {
      this.log.warn({ part: name, error: messageOf(error) }, 'could not stop a part cleanly');
    }
  }
}

/** Resolves with the signal's name at the first SIGTERM or SIGINT. */
export function terminationSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
}
