/** A host's Docker Engine, and what really runs there. */
import type { ContainerRequest } from '../../../agent/container-spec.ts';
import type { EngineEvent } from '../../../agent/engine/engine.ts';
import type { ObservedContainer } from '../../../agent/plan/observed-container.ts';
import { type EngineCallKind, FakeEngine } from '../../support/fake-engine.ts';
import { absenceOf, behaviourOf } from './images.ts';
import { type HostClocks, SimulatedProcess } from './process.ts';
import type { Random } from './random.ts';
import type { SimulatedTime } from './time.ts';

const delaysMs: Partial<Record<EngineCallKind, readonly [number, number]>> = {
  create: [5, 20],
  start: [40, 200],
  stop: [5, 20],
  remove: [5, 40],
  list: [1, 5],
};

/** Told of everything that happens to a container, as it happens. */
export type ContainerWitness = (host: string, event: EngineEvent, container: ObservedContainer | undefined) => void;

export interface EngineParts {
  readonly host: string;
  readonly time: SimulatedTime;
  readonly clocks: HostClocks;
  readonly random: Random;
  readonly witness: ContainerWitness;
}

export class SimulatedEngine extends FakeEngine {
  private readonly known = new Set<string>();

  constructor({ host, time, clocks, random, witness }: EngineParts) {
    const { clock } = new SimulatedProcess(`engine-${host}`, time, clocks);
    super({
      clock,
      random: () => random.next(),
      delaysMs,
      onHappened: (event) => witness(host, event, this.containers.get(event.containerId)),
    });
    this.behaviourOf = behaviourOf;
  }

  override hasImage(reference: string): Promise<boolean> {
    this.know(reference);
    return super.hasImage(reference);
  }

  override create(request: ContainerRequest): Promise<string> {
    this.know(String(request.body.Image));
    return super.create(request);
  }

  get running(): ObservedContainer[] {
    return [...this.containers.values()].filter(({ phase }) => phase === 'running');
  }

  /** Some images are not on the host before they are pulled. */
  private know(image: string): void {
    const absence = this.known.has(image) ? undefined : absenceOf(image);
    this.known.add(image);
    if (absence) this.missingImages.set(image, absence);
  }
}
