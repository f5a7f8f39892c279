/** Who brought news and waits to hear that this host does as they say. */

/** So many wait at once. */
const WAITING_AT_MOST = 64;

export class AwaitedTurns {
  private waiting: (() => void)[] = [];

  /** Resolves when a turn that begins after this has succeeded; never, if much was brought since. */
  next(): Promise<void> {
    // Where a host refuses for long, the latest stand for those before them.
    if (this.waiting.length >= WAITING_AT_MOST) this.waiting.shift();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Takes a turn for all that was brought until now. Rejects as it does; then they wait for the one after. */
  async take(turn: () => Promise<void>): Promise<void> {
    const brought = this.waiting.splice(0);
    try {
      await turn();
    } catch (error) {
      this.waiting = [...brought, ...this.waiting].slice(-WAITING_AT_MOST);
      throw error;
    }
    for (const tell of brought) tell();
  }
}
