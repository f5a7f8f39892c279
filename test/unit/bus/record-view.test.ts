import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { reader } from '../../../bus/reader.ts';
import { RecordView } from '../../../bus/record-view.ts';
import { createLog } from '../../../runtime/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const written = (atMs: number, data: string) => ({ key: 'a', data, deleted: false, revision: 7, writtenAtMs: atMs });

function aView() {
  const onQuarantined = vi.fn<() => void>();
  const parts = { bucket: 'plim_task', keyPrefix: '', schema: z.string(), keyOf: undefined, clock: new FakeClock() };
  const view = new RecordView({ ...parts, log: createLog('test', 'silent'), reader, onQuarantined });
  return { view, onQuarantined };
}

it('takes a write for another one than that which had its number before the bucket was restored', () => {
  const { view } = aView();
  view.replace([written(1, '"before"')]);

  view.replace([written(2, '"after"')]);

  expect(view.entries.get('a')?.value).toBe('after');
});

it('tells of a write once, however often it is read', () => {
  const { view, onQuarantined } = aView();
  const listener = vi.fn<() => void>();
  view.onChange(listener);

  view.replace([written(1, '"good"')]);
  view.replace([written(1, '"good"')]);
  expect(listener).toHaveBeenCalledTimes(1);

  view.replace([written(2, 'damaged')]);
  view.replace([written(2, 'damaged')]);
  expect(listener).toHaveBeenCalledTimes(2);
  expect(onQuarantined).toHaveBeenCalledTimes(1);
});

it('takes a good write that has the number of a damaged one', () => {
  const { view } = aView();
  view.replace([written(1, 'damaged')]);

  view.replace([written(2, '"good"')]);

  expect([view.entries.get('a')?.value, view.quarantined.size]).toEqual(['good', 0]);
});

it('counts readings that lack what nobody deleted, or are older than the one before', () => {
  const { view } = aView();
  view.replace([written(1, '"before"')]);
  view.apply([{ ...written(2, ''), deleted: true, revision: 8 }]);
  view.replace([{ ...written(2, ''), deleted: true, revision: 8 }]);
  expect(view.losses).toBe(0);

  view.replace([written(1, '"before"')]);
  expect(view.losses).toBe(1);

  view.replace([]);
  expect(view.losses).toBe(2);
});
