import { expect, it } from 'vitest';
import { lastUpdate } from '../../../../coordinator/alerts/last-update.ts';

const aRevision = (number: number, image: string, ForceUpdate = 0) => ({
  number,
  taskTemplate: { ContainerSpec: { Image: image }, ForceUpdate },
  createdAtMs: number * 1_000,
});
const last = (revision: number, ...revisions: ReturnType<typeof aRevision>[]) =>
  lastUpdate({ revision, revisions }, { startedAtMs: 9_000 });

it('is the one that changed what tasks run, restarts left aside', () => {
  const [good, bad, restarted] = [aRevision(1, 'a:1'), aRevision(2, 'a:2'), aRevision(3, 'a:2', 1)];
  expect(last(2, good, bad)).toEqual({ before: 1, beganAtMs: 9_000, isRestarted: false });
  expect(last(3, good, bad, restarted)).toEqual({ before: 1, beganAtMs: 2_000, isRestarted: true });
});

it('is none where all revisions run the same', () => {
  expect(last(1, aRevision(1, 'a:1'))).toBeUndefined();
  expect(last(2, aRevision(1, 'a:1'), aRevision(2, 'a:1', 1))).toBeUndefined();
});
