import { describe, expect, it } from 'vitest';
import { removableImages } from '../../../../agent/plan/image-cleanup.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const use = (image: string, lastUsedAtMs: number, serviceId = 'web') => ({
  image,
  serviceId,
  pulled: true,
  lastUsedAtMs,
});

describe('removableImages()', () => {
  it('keeps the last two of each service and removes the longest unused first', () => {
    const uses = [use('web:1', 1), use('web:2', 2), use('web:3', 3), use('web:4', 4), use('db:1', 0, 'db')];

    expect(removableImages(uses, new Set(), 10 * DAY_MS)).toEqual(['web:1', 'web:2']);
  });

  it('keeps what is in use and what was used within a day', () => {
    const uses = [use('web:1', 1), use('web:2', 9.5 * DAY_MS), use('web:3', 9.6 * DAY_MS), use('web:4', 9.7 * DAY_MS)];

    expect(removableImages(uses, new Set(['web:1']), 10 * DAY_MS)).toEqual([]);
  });

  it('never removes what was not pulled: it may exist nowhere else', () => {
    const built = { ...use('web:1', 1), pulled: false };
    const uses = [built, use('web:2', 2), use('web:3', 3), use('web:4', 4)];

    expect(removableImages(uses, new Set(), 10 * DAY_MS)).toEqual(['web:2']);
  });
});
