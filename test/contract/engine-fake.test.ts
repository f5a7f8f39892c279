import { beforeEach, describe } from 'vitest';
import type { ContainerRequest } from '../../agent/container-spec.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { ContainerBehaviour } from '../support/fake-engine/container-host.ts';
import { FakeEngine } from '../support/fake-engine.ts';
import { withoutLiveRestoreContract } from './engine-events-suite.ts';
import { type EngineSubject, programs } from './engine-subject.ts';
import { engineContract } from './engine-suite.ts';

/** What the suite's programs do, for an engine that cannot run them. */
const behaviours: Record<keyof typeof programs, ContainerBehaviour> = {
  deaf: { stopsAfterMs: undefined },
  polite: { stopsAfterMs: 10 },
  exitsWith3: { exitsAfterMs: 1, exitCode: 3 },
  absent: { startError: 'exec: "/bin/nothing": stat /bin/nothing: no such file or directory' },
  eatsMemory: { exitsAfterMs: 10, exitCode: 137, oomKilled: true },
};

function subjectOn(engine: FakeEngine): EngineSubject {
  engine.missingImages.set('plimsoll/absent:1', { refusal: 'pull access denied for plimsoll/absent' });
  engine.behaviourOf = behaviourOf;
  return {
    engine,
    listens: async () => undefined,
    killProcess: async ({ id }) => engine.exit(id, 137),
    killDockerd: async () => engine.crash(),
    startDockerd: async () => engine.restart(),
    freezeDockerd: async () => engine.hang(),
    thawDockerd: async () => engine.unhang(),
    clean: async () => undefined,
  };
}

function behaviourOf({ body }: ContainerRequest): ContainerBehaviour {
  const name = (Object.keys(programs) as (keyof typeof programs)[]).find((key) => programs[key] === body.Cmd);
  const check = (body.Healthcheck as { Test: string[] } | undefined)?.Test[1];
  const healthyAfterMs = check === 'true' ? 5 : undefined;
  const unhealthyAfterMs = check === 'false' ? 5 : undefined;
  return { ...(name && behaviours[name]), healthyAfterMs, unhealthyAfterMs };
}

describe('the engine in memory', () => {
  let subject: EngineSubject;
  beforeEach(() => {
    subject = subjectOn(new FakeEngine({ clock: systemClock }));
  });

  engineContract(() => subject);

  describe('without live-restore', () => {
    const fragile = subjectOn(new FakeEngine({ clock: systemClock, liveRestore: false }));
    withoutLiveRestoreContract(() => fragile);
  });
});
