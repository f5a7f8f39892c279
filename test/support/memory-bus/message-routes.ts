/** Who listens to which subject: exact subjects by name, patterns one after the other. */
import type { WireMessage } from '../../../bus/wire.ts';
import { compilePattern, type Matches } from './subject-pattern.ts';

export interface Listener {
  readonly pattern: string;
  readonly handler: (message: WireMessage) => void;
  /** The connection it came by. */
  readonly owner: ListenerOwner;
  /** Of one group and pattern, one listener gets each message. */
  readonly group: string | undefined;
}

export interface ListenerOwner {
  /** Whether the server believes the connection to be there. */
  readonly isRegistered: boolean;
  carryMessage(work: () => void): void;
}

export class MessageRoutes {
  private readonly all = new Set<Listener>();
  private readonly exact = new Map<string, Set<Listener>>();
  /** By their first token, which may be a wildcard. */
  private readonly patterns = new Map<string, Map<Listener, Matches>>();
  /** By subject, the listeners whose patterns match it: beats come by the thousand. Forgotten when a pattern comes or goes. */
  private matching = new Map<string, readonly Listener[]>();
  private readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  add(listener: Listener): void {
    this.all.add(listener);
    if (isPattern(listener.pattern)) {
      this.patternsFrom(firstToken(listener.pattern)).set(listener, compilePattern(listener.pattern));
      this.matching.clear();
      return;
    }
    const others = this.exact.get(listener.pattern);
    if (others) others.add(listener);
    else this.exact.set(listener.pattern, new Set([listener]));
  }

  remove(listener: Listener): void {
    this.all.delete(listener);
    if (this.patterns.get(firstToken(listener.pattern))?.delete(listener)) this.matching.clear();
    const others = this.exact.get(listener.pattern);
    if (others?.delete(listener) && others.size === 0) this.exact.delete(listener.pattern);
  }

  removeOf(owner: ListenerOwner): void {
    for (const listener of this.all) if (listener.owner === owner) this.remove(listener);
  }

  /** Sends a message to whoever listens; answers whether anybody does, as far as the server knows. */
  send(message: WireMessage): boolean {
    const reached = this.oneOfEachGroup(this.listenersOf(message.subject));
    for (const listener of reached) {
      listener.owner.carryMessage(() => this.all.has(listener) && listener.handler(message));
    }
    return reached.length > 0;
  }

  private listenersOf(subject: string): Listener[] {
    const found: Listener[] = [];
    for (const listener of this.exact.get(subject) ?? []) if (listener.owner.isRegistered) found.push(listener);
    for (const listener of this.matchingPatterns(subject)) if (listener.owner.isRegistered) found.push(listener);
    return found;
  }

  private matchingPatterns(subject: string): readonly Listener[] {
    const known = this.matching.get(subject);
    if (known) return known;
    const found: Listener[] = [];
    for (const first of [firstToken(subject), '*', '>']) {
      for (const [listener, matches] of this.patterns.get(first) ?? []) if (matches(subject)) found.push(listener);
    }
    // An inbox is asked for once.
    if (!this.exact.has(subject)) this.matching.set(subject, found);
    return found;
  }

  private patternsFrom(first: string): Map<Listener, Matches> {
    const known = this.patterns.get(first);
    if (known) return known;
    const made = new Map<Listener, Matches>();
    this.patterns.set(first, made);
    return made;
  }

  private oneOfEachGroup(listeners: readonly Listener[]): readonly Listener[] {
    if (listeners.length <= 1 || listeners.every(({ group }) => group === undefined)) return listeners;
    const chosen = listeners.filter(({ group }) => group === undefined);
    for (const group of groups(listeners).values()) {
      const one = group[Math.floor(this.random() * group.length)];
      if (one) chosen.push(one);
    }
    return chosen;
  }
}

function firstToken(subject: string): string {
  const end = subject.indexOf('.');
  return end < 0 ? subject : subject.slice(0, end);
}

function isPattern(subject: string): boolean {
  return subject.includes('*') || subject.includes('>');
}

function groups(listeners: readonly Listener[]): Map<string, Listener[]> {
  const byGroup = new Map<string, Listener[]>();
  for (const listener of listeners) {
    if (listener.group === undefined) continue;
    const name = `${listener.group} ${listener.pattern}`;
    byGroup.set(name, [...(byGroup.get(name) ?? []), listener]);
  }
  return byGroup;
}
