/** Which coordinators are there: each says so every second and hears the others. */
import type { Bus } from '../../bus/bus.ts';
import { subjects } from '../../bus/subjects.ts';
import { CoordinatorBeat } from '../../model/messages.ts';
import type { Clock } from '../../runtime/clock.ts';
import { every } from '../../runtime/every.ts';
import type { Store } from '../store/store.ts';

const BEAT_MS = 1_000;
/** Silence is counted in our own turns: a process that was frozen itself blames nobody for it. */
const SILENT_TURNS = 3;

export interface PresenceParts {
  readonly bus: Pick<Bus, 'publish' | 'subscribe'>;
  readonly store: Pick<Store, 'setCoordinatorNodes'>;
  readonly clock: Clock;
  readonly coordinatorId: string;
  /** The node this host is, once it has joined as one. */
  readonly nodeId: () => string | undefined;
}

interface Heard {
  readonly nodeId: string | undefined;
  readonly silentTurns: number;
}

export class Presence {
  private readonly heard = new Map<string, Heard>();
  private readonly parts: PresenceParts;

  constructor(parts: PresenceParts) {
    this.parts = parts;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { bus, clock } = this.parts;
    const beats = bus.subscribe(subjects.coordinatorBeat, CoordinatorBeat, (beat) => this.take(beat));
    await every(clock, BEAT_MS, () => this.turn(), signal);
    beats.stop();
  }

  private take({ coordinatorId, nodeId }: CoordinatorBeat): void {
    if (coordinatorId === this.parts.coordinatorId) return;
    const before = this.heard.get(coordinatorId);
    this.heard.set(coordinatorId, { nodeId, silentTurns: 0 });
    // A coordinator that just began need not wait a second to know of us.
    if (!before) this.beat();
    if (!before || before.nodeId !== nodeId) this.tell();
  }

  private turn(): void {
    for (const [id, { nodeId, silentTurns }] of this.heard) {
      if (silentTurns >= SILENT_TURNS) this.heard.delete(id);
      else this.heard.set(id, { nodeId, silentTurns: silentTurns + 1 });
    }
    this.beat();
    this.tell();
  }

  private beat(): void {
    const { bus, coordinatorId, nodeId } = this.parts;
    const beat: CoordinatorBeat = { coordinatorId, nodeId: nodeId() };
    bus.publish(subjects.coordinatorBeat, beat);
  }

  private tell(): void {
    const nodeIds = [this.parts.nodeId(), ...[...this.heard.values()].map((each) => each.nodeId)];
    this.parts.store.setCoordinatorNodes(new Set(nodeIds.filter((id) => id !== undefined)));
  }
}
