import { expect, it } from 'vitest';
import { ExitNews } from '../../../../coordinator/past/exit-news.ts';
import type { ExitRecord, StatusRecord } from '../../../../model/status-record.ts';
import type { TaskRecord } from '../../../../model/task-record.ts';
import { aTask } from '../../../support/tasks.ts';

const TERM_MS = 1_000_000;
const running: TaskRecord = aTask();

const exit = (attempt: number, change: Partial<ExitRecord> = {}): ExitRecord => ({
  attempt,
  containerId: `c${attempt}`,
  exitCode: 1,
  oomKilled: false,
  error: 'task: non-zero exit (1)',
  finishedAtMs: TERM_MS + attempt,
  state: 'failed',
  ...change,
});
const reported = (...exits: ExitRecord[]): StatusRecord => ({
  v: 1,
  taskId: running.id,
  serviceId: running.serviceId,
  slot: 1,
  nodeId: running.nodeId,
  revision: 1,
  incarnation: 1,
  attempt: Math.max(...exits.map(({ attempt }) => attempt)),
  sequence: 0,
  state: 'running',
  ready: true,
  health: 'none',
  removed: false,
  message: '',
  changedAtMs: 0,
  failures: 0,
  restarts: 0,
  oomKills: 0,
  final: false,
  exits,
});
const attempts = (exits: readonly ExitRecord[]) => exits.map(({ attempt }) => attempt);

it('tells each end once, however often it is reported', () => {
  const news = new ExitNews(TERM_MS);

  expect(attempts(news.of('k', reported(exit(1)), running))).toEqual([1]);
  expect(attempts(news.of('k', reported(exit(1)), running))).toEqual([]);
  expect(attempts(news.of('k', reported(exit(1), exit(2), exit(3)), running))).toEqual([2, 3]);
});

it('of what was there when the term began it tells the last minute, in which perhaps nobody led', () => {
  const news = new ExitNews(TERM_MS);
  const old = exit(1, { finishedAtMs: TERM_MS - 61_000 });
  const recent = exit(2, { finishedAtMs: TERM_MS - 59_000 });

  expect(attempts(news.of('k', reported(old, recent), running))).toEqual([2]);
});

it('the end that was asked for is no news, another one is', () => {
  const news = new ExitNews(TERM_MS);
  const stopped: TaskRecord = { ...running, desired: 'stopped' };

  const told = news.of('k', reported(exit(1), exit(2, { state: 'shutdown' })), stopped);

  expect(attempts(told)).toEqual([1]);
});

it('of a report that is longer than an agent makes them it takes the last few, in bounds', () => {
  const news = new ExitNews(TERM_MS);
  const many = Array.from({ length: 1_000 }, (_, index) => exit(index + 1, { error: 'x'.repeat(5_000) }));
  const ahead = { ...reported(exit(1), exit(2)), attempt: 1 };

  const told = news.of('k', reported(...many), running);

  expect(attempts(told)).toEqual([996, 997, 998, 999, 1_000]);
  expect(told.map(({ error }) => error.length)).toEqual([1_000, 1_000, 1_000, 1_000, 1_000]);
  expect(attempts(news.of('other', ahead, running))).toEqual([1]);
});
