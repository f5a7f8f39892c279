/** Alarms in the order they are due; of two for the same moment the one set first. A binary heap. */

export interface Alarm {
  readonly dueMs: number;
  readonly ring: () => void;
}

interface Kept extends Alarm {
  readonly order: number;
  cancelled: boolean;
}

export class AlarmQueue {
  private readonly heap: Kept[] = [];
  private added = 0;

  /** Answers the way to take it back. */
  add(alarm: Alarm): () => void {
    const kept = { dueMs: alarm.dueMs, ring: alarm.ring, order: this.added, cancelled: false };
    this.added += 1;
    this.heap.push(kept);
    this.rise(this.heap.length - 1);
    return () => {
      kept.cancelled = true;
    };
  }

  /** Takes the first alarm out if it is due by `untilMs`. */
  takeDue(untilMs: number): Alarm | undefined {
    for (let first = this.heap[0]; first; first = this.heap[0]) {
      if (!first.cancelled && first.dueMs > untilMs) return undefined;
      this.removeFirst();
      if (!first.cancelled) return first;
    }
    return undefined;
  }

  private removeFirst(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    this.sink();
  }

  private rise(start: number): void {
    const { heap } = this;
    const moved = heap[start] as Kept;
    let index = start;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Kept;
      if (!isBefore(moved, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = moved;
  }

  private sink(): void {
    const { heap } = this;
    const moved = heap[0] as Kept;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && isBefore(right, heap[child] as Kept)) child += 1;
      const smaller = heap[child] as Kept;
      if (!isBefore(smaller, moved)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = moved;
  }
}

function isBefore(a: Kept, b: Kept): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
