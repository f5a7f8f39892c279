/** Nodes with room for one more task, best first; a node whose load changed is moved, not looked for. */
import type { BoardNode } from './node-board.ts';

/** How good a node is for one more task of a service: the first number that differs decides, lower is better. */
export interface Score {
  /** 1 where the service has failed often lately. */
  failing: number;
  /** Tasks of the service on this node. */
  copies: number;
  /** How busy it was measured to be. */
  busy: number;
  /** Tasks of all services on this node. */
  tasks: number;
  /** The larger of the reserved shares of its processors and its memory, in tenths. */
  reservedTenths: number;
  /** 1 where no task brought the image yet. */
  lacksImage: number;
  /** The same share exactly. */
  reservedShare: number;
}

/** A node that passed the filters, with its score as it was when the heap last looked. */
export interface Candidate extends Score {
  readonly at: BoardNode;
  /** Where it is in its heap; -1 while it is in none. */
  position: number;
}

/** Negative when `a` is the better node. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    a.failing - b.failing ||
    a.copies - b.copies ||
    a.busy - b.busy ||
    a.tasks - b.tasks ||
    a.reservedTenths - b.reservedTenths ||
    a.lacksImage - b.lacksImage ||
    a.reservedShare - b.reservedShare ||
    a.at.index - b.at.index
  );
}

/** A binary heap whose members know their position, so that each operation costs the logarithm of their number. */
export class CandidateHeap {
  private readonly members: Candidate[] = [];

  add(candidate: Candidate): void {
    candidate.position = this.members.length;
    this.members.push(candidate);
    this.raise(candidate);
  }

  remove(candidate: Candidate): void {
    const last = this.members.pop();
    const { position } = candidate;
    candidate.position = -1;
    if (!last || last === candidate) return;
    this.put(last, position);
    this.restore(last);
  }

  /** To be called after a member's score changed. */
  restore(candidate: Candidate): void {
    this.raise(candidate);
    this.lower(candidate);
  }

  /** The best member that `accepts` takes; it costs as many steps as members are turned down. */
  best(accepts: (candidate: Candidate) => boolean): Candidate | undefined {
    const turnedDown: Candidate[] = [];
    let [top] = this.members;
    while (top && !accepts(top)) {
      this.remove(top);
      turnedDown.push(top);
      [top] = this.members;
    }
    for (const candidate of turnedDown) this.add(candidate);
    return top;
  }

  private raise(candidate: Candidate): void {
    while (candidate.position > 0) {
      const parent = this.members[(candidate.position - 1) >> 1];
      if (!parent || compareCandidates(parent, candidate) <= 0) return;
      this.swap(candidate, parent);
    }
  }

  private lower(candidate: Candidate): void {
    for (;;) {
      const child = this.betterChild(candidate.position);
      if (!child || compareCandidates(candidate, child) <= 0) return;
      this.swap(candidate, child);
    }
  }

  private betterChild(position: number): Candidate | undefined {
    const left = this.members[2 * position + 1];
    const right = this.members[2 * position + 2];
    return left && right && compareCandidates(right, left) < 0 ? right : left;
  }

  private swap(a: Candidate, b: Candidate): void {
    const { position } = a;
    this.put(a, b.position);
    this.put(b, position);
  }

  private put(candidate: Candidate, position: number): void {
    this.members[position] = candidate;
    candidate.position = position;
  }
}
