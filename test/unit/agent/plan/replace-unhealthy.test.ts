import { describe, expect, it } from 'vitest';
import { type HealthView, planUnhealthyReplacements } from '../../../../agent/plan/replace-unhealthy.ts';

function task(taskId: string, given: Partial<HealthView> = {}): HealthView {
  return { taskId, serviceId: 'web', health: 'unhealthy', ready: false, beingReplaced: false, ...given };
}

describe('planUnhealthyReplacements()', () => {
  it('leaves it to the coordinator while the bus is there or only just gone', () => {
    expect(planUnhealthyReplacements([task('a')], undefined, 10_000)).toEqual([]);
    expect(planUnhealthyReplacements([task('a')], 9_999, 10_000)).toEqual([]);
  });

  it('replaces one task per service', () => {
    const tasks = [task('a'), task('b'), task('c', { serviceId: 'db' })];

    expect(planUnhealthyReplacements(tasks, 10_000, 10_000)).toEqual(['a', 'c']);
  });

  it('waits until the replaced one is ready again', () => {
    const replaced = task('a', { health: 'starting', beingReplaced: true });

    expect(planUnhealthyReplacements([replaced, task('b')], 20_000, 10_000)).toEqual([]);
    expect(planUnhealthyReplacements([{ ...replaced, ready: true }, task('b')], 20_000, 10_000)).toEqual(['b']);
  });
});
