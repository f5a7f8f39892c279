/** A host's engine. */
import { FakeEngine } from '../../support/fake-engine.ts';
import type { HostClocks } from './process.ts';
import type { Random } from './random.ts';
import type { SimulatedTime } from './time.ts';
import type { Trace } from './trace.ts';

export interface EngineParts {
  readonly host: string;
  readonly time: SimulatedTime;
  readonly clocks: HostClocks;
  readonly random: Random;
  readonly trace: Trace;
}

export class SimulatedEngine extends FakeEngine {
  constructor(_parts: EngineParts) {
    super();
  }

  powerOff(): void {
    for (const { id, phase } of this.containers.values()) if (phase === 'running') this.exit(id, 137);
  }

  boot(): void {}
}
