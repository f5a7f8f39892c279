/** Work of which one piece runs at a time, in the order it came. */
export class SerialQueue {
  private last: Promise<unknown> = Promise.resolve();

  /** Settles as the work does; work that fails keeps none behind it from being done. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => undefined);
    return done;
  }

  /** Resolves when all that has come so far is over. */
  async idle(): Promise<void> {
    await this.last;
  }
}
