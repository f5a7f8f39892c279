import { afterAll, beforeAll, describe } from 'vitest';
import { type PrivateEngine, startPrivateEngine } from '../support/private-engine.ts';
import { dockerEngineSubject } from './docker-engine-subject.ts';
import { withoutLiveRestoreContract } from './engine-events-suite.ts';
import type { EngineSubject } from './engine-subject.ts';
import { engineContract } from './engine-suite.ts';

describe('the machine’s own Docker Engine', () => {
  let docker: PrivateEngine;
  let subject: EngineSubject;
  beforeAll(async () => {
    docker = await startPrivateEngine();
    subject = dockerEngineSubject(docker);
  });
  afterAll(() => docker?.stop());

  engineContract(() => subject);
});

describe('a Docker Engine without live-restore', () => {
  let docker: PrivateEngine;
  beforeAll(async () => {
    docker = await startPrivateEngine({ liveRestore: false });
  });
  afterAll(() => docker?.stop());

  withoutLiveRestoreContract(() => dockerEngineSubject(docker));
});
