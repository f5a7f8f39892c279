import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PrivateEngine, startPrivateEngine } from '../support/private-engine.ts';
import { dockerEngineSubject } from './docker-engine-subject.ts';
import type { EngineSubject } from './engine-subject.ts';
import { engineContract } from './engine-suite.ts';

/** The first start on a machine makes the tree the engine lives in. */
const FIRST_START_MS = 300_000;

describe('a modern host’s Docker Engine', () => {
  let docker: PrivateEngine;
  let subject: EngineSubject;
  beforeAll(async () => {
    docker = await startPrivateEngine({ release: 'modern' });
    subject = dockerEngineSubject(docker);
  }, FIRST_START_MS);
  afterAll(() => docker?.stop());

  test('is a modern one', async () => {
    expect(Number.parseInt((await subject.engine.describe()).version, 10)).toBeGreaterThanOrEqual(28);
  });

  engineContract(() => subject);
});
