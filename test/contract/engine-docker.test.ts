import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PrivateEngine, startPrivateEngine } from '../support/private-engine.ts';
import { dockerEngineSubject } from './docker-engine-subject.ts';
import { type EngineSubject, engineContract, withoutLiveRestoreContract } from './engine-suite.ts';

describe('the machine’s own Docker Engine', () => {
  let docker: PrivateEngine;
  let subject: EngineSubject;
  beforeAll(async () => {
    docker = await startPrivateEngine();
    subject = dockerEngineSubject(docker);
  });
  afterAll(() => docker?.stop());

  test('is older than the modern one', async () => {
    expect(Number.parseInt((await subject.engine.describe()).version, 10)).toBeLessThan(28);
  });

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
