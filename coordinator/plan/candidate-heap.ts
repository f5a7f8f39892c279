/** Nodes with room for one more task, best first; a node whose load changed is moved, not looked for. */
import type { PlanNode } from './nodes.ts';
import type { NodeUse } from './occupancy.ts';

/** A node that passed the node filters, with its score as it was when the heap last looked. */
export interface Candidate {
  readonly node: PlanNode;
  readonly use: NodeUse;
  /** Place among all nodes by id: it decides between equals. */
  readonly index: number;
  /** Tasks of the service on this node. */
  copies: number;
  /** Tasks of all services on this node. */
  tasks: number;
  /** Reserved share of the node's memory. */
  memoryShare: number;
  /** Where it is in its heap; -1 while it is in none. */
  position: number;
}

/** Negative when `a` is the better node: fewer copies of the service, then fewer tasks, then more free memory. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  return a.copies - b.copies || a.tasks - b.tasks || a.memoryShare - b.memoryShare || a.index - b.index;
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
