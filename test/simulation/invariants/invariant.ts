/** What an invariant sees, and how it says that it is broken. */
import type { EngineEvent } from '../../../agent/engine/engine.ts';
import type { ObservedContainer } from '../../../agent/plan/observed-container.ts';
import type { Operator } from '../operator.ts';
import type { World } from '../world/world.ts';
import type { GroundTruth } from './ground-truth.ts';

export interface Scene {
  readonly world: World;
  readonly operator: Operator;
  readonly truth: GroundTruth;
}

/** Each answers a sentence when it is broken. */
export interface Invariant {
  readonly name: string;
  /** Something happened to a container. */
  onContainer?(host: string, event: EngineEvent, container: ObservedContainer): string | undefined;
  /** Every simulated second. */
  eachSecond?(): string | undefined;
  /** When everything has healed and settled. */
  atEnd?(): string | undefined;
}

export type InvariantMaker = (scene: Scene) => Invariant;
