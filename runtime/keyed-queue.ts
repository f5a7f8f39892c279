/** Work that runs at most once at a time per key; other keys run beside it, up to a limit. */

export class KeyedQueue {
  private readonly running = new Map<string, Promise<void>>();
  private readonly waiting: { key: string; start: () => void }[] = [];
  private readonly concurrency: number;

  constructor(concurrency: number) {
    this.concurrency = concurrency;
  }

  isBusy(key: string): boolean {
    return this.running.has(key) || this.waiting.some((entry) => entry.key === key);
  }

  get size(): number {
    return this.running.size + this.waiting.length;
  }

  /** Runs `work`, which must handle its own errors, as soon as there is room; returns false, doing nothing, when the key is busy already. */
  offer(key: string, work: () => Promise<void>): boolean {
    if (this.isBusy(key)) return false;
    const start = () => {
      const done = work().finally(() => {
        this.running.delete(key);
        this.startNext();
      });
      this.running.set(key, done);
    };
    if (this.running.size < this.concurrency) start();
    else this.waiting.push({ key, start });
    return true;
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    while (this.size > 0) await Promise.allSettled(this.running.values());
  }

  private startNext(): void {
    if (this.running.size < this.concurrency) this.waiting.shift()?.start();
  }
}
