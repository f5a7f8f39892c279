import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

  it('says which generic resources its settings advertise', async () => {
    expect((await subject.engine.describe()).generic).toEqual([
      { kind: 'gpu', count: 2, names: [] },
      { kind: 'licence', count: 2, names: ['L2', 'L1'] },
    ]);
  });
});

describe('a Docker Engine without live-restore', () => {
  let docker: PrivateEngine;
  beforeAll(async () => {
    docker = await startPrivateEngine({ liveRestore: false });
  });
  afterAll(() => docker?.stop());

  withoutLiveRestoreContract(() => dockerEngineSubject(docker));
});
