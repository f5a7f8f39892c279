/** Starting in order, stopping in reverse: what a daemon does on SIGTERM. */
import { setMaxListeners } from 'node:events';
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

/** More than this many listeners are worth a warning. */
const PARTS_AT_MOST = 64;

/** Collects what must be undone, in reverse order, when the process ends or a start fails halfway. */
export class Lifecycle {
  private readonly stops: { name: string; stop: () => Promise<void> | void }[] = [];
  private readonly controller = new AbortController();
  private stopping: Promise<void> | undefined;
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

  onStop(name: string, stop: () => Promise<void> | void): void {
    this.stops.push({ name, stop });
  }

  /** Stops everything once, newest first; a failing stop is logged and the rest goes on. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async stopAll(): Promise<void> {
    this.controller.abort();
    for (const entry of this.stops.reverse()) {
      try {
        await entry.stop();
      } catch (error) {
        this.log.warn({ part: entry.name, error: messageOf(error) }, 'could not stop a part cleanly');
      }
    }
  }
}

/** Resolves with the signal's name at the first SIGTERM or SIGINT. */
export function terminationSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
}
