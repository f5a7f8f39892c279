import { expect, test } from 'vitest';
import { agentMetrics } from '../../../agent/agent-metrics.ts';
import { Announcements } from '../../../agent/announcements.ts';
import type { Entry } from '../../../bus/bus.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { FakeClock, settleMicrotasks } from '../../support/fake-clock.ts';
import { MemoryServer } from '../../support/memory-bus.ts';

test('what was just written counts though the copy of the bucket still has what was before', async () => {
  const clock = new FakeClock();
  const before: Entry<string> = { key: 'k', value: 'empty', revision: 1, writtenAtMs: 0 };
  const view = { entries: new Map([['k', before]]) };
  const written: string[] = [];
  const bucket = {
    put: async (_key: string, value: string) => written.push(value) + 1,
    delete: async () => undefined,
  };
  const own = new Announcements({
    nodeId: derivedId('node'),
    bus: new MemoryServer({ clock }).connect().bus,
    bucket,
    view,
    clock,
    log: createLog('test', 'silent'),
    metrics: agentMetrics(createMetrics('agent', '0')),
  });

  await own.tell(new Map([['k', 'empty']]));
  await own.tell(new Map([['k', 'a port']]));
  await own.tell(new Map([['k', 'empty']]));

  expect(written).toEqual(['a port', 'empty']);
  expect(own.revisionOf('k')).toBe(3);
});

test('a write that takes its time is nothing the others can have heard yet', async () => {
  const clock = new FakeClock();
  const other = derivedId('node', 'other');
  let store: (revision: number) => void = () => undefined;
  const put = () => new Promise<number>((resolve) => (store = resolve));
  const { bus } = new MemoryServer({ clock }).connect();
  const own = new Announcements<string>({
    nodeId: derivedId('node'),
    bus,
    bucket: { put, delete: async () => undefined },
    view: { entries: new Map() },
    clock,
    log: createLog('test', 'silent'),
    metrics: agentMetrics(createMetrics('agent', '0')),
  });
  const asked: (number | undefined)[] = [];
  const announced = () => {
    asked.push(own.revisionOf('k'));
    return [{ revision: own.revisionOf('k') ?? 0, nodeIds: [other] }];
  };
  void own.tell(new Map([['k', 'a port']])).catch(() => undefined);
  let isHeard = false;
  void own.haveHeard(announced).then(() => {
    isHeard = true;
  });

  await clock.advance(1_500);
  expect(asked).toEqual([]);
  store(7);
  await settleMicrotasks();
  expect(asked).toEqual([7]);
  expect(isHeard).toBe(false);
  await clock.advance(2_000);
  expect(isHeard).toBe(true);
});
