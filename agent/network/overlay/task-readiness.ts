/** Which tasks of this node may get new connections, and which have just stopped getting them. */

export class TaskReadiness {
  private readonly ready = new Set<string>();
  /** On their way out though their containers still run. */
  private readonly withdrawn = new Set<string>();
  /** Were ready once and are not any more: somebody may still be about to connect to them. */
  private readonly left = new Set<string>();

  note(taskId: string, ready: boolean): void {
    if (ready) this.ready.add(taskId);
    else if (this.ready.delete(taskId)) {
      this.withdrawn.delete(taskId);
      this.left.add(taskId);
    }
  }

  /** Stays out until it was seen not to be ready. Answers whether it ever got connections. */
  withdraw(taskId: string): boolean {
    if (this.ready.has(taskId)) this.withdrawn.add(taskId);
    return this.ready.has(taskId) || this.left.has(taskId);
  }

  mayBeAsked(taskId: string): boolean {
    return this.ready.has(taskId) && !this.withdrawn.has(taskId);
  }

  forget(taskId: string): void {
    for (const each of [this.ready, this.withdrawn, this.left]) each.delete(taskId);
  }
}
