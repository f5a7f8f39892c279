import { expect, it } from 'vitest';
import { InspectReply, observedContainer } from '../../../../agent/engine/docker-replies.ts';
import { containerLabels } from '../../../../model/labels.ts';

/** The engine's answer about a container with this health. */
function inspection(Health: unknown): InspectReply {
  const Labels = {
    [containerLabels.task]: 'task',
    [containerLabels.service]: 'service',
    [containerLabels.slot]: '1',
    [containerLabels.revision]: '1',
    [containerLabels.attempt]: '1',
  };
  const State = { Status: 'running', Running: true, OOMKilled: false, Pid: 7, ExitCode: 0, Error: '', Health };
  const times = { StartedAt: '2026-01-01T00:00:00Z', FinishedAt: '0001-01-01T00:00:00Z' };
  return InspectReply.parse({
    Id: 'c1',
    Name: '/web.1',
    Config: { Image: 'a:1', Labels },
    State: { ...State, ...times },
    NetworkSettings: {},
  });
}

it.each([
  ['what the health check said last', 1, 'out of\n  ink\n', 'health check ended with 1: out of ink'],
  ['how it ended where it said nothing', 3, '', 'health check ended with 3'],
  [
    'that it took too long',
    -1,
    'Health check exceeded timeout (5s)',
    'health check did not run to its end: Health check exceeded timeout (5s)',
  ],
])('observedContainer() says of an unhealthy one %s', (_what, ExitCode, Output, words) => {
  const Log = [
    { ExitCode: 0, Output: 'fine' },
    { ExitCode, Output },
  ];

  expect(observedContainer(inspection({ Status: 'unhealthy', Log }))).toMatchObject({
    health: 'unhealthy',
    unhealthyBecause: words,
  });
});

it('observedContainer() says nothing of one that may yet become healthy, or without a log', () => {
  const Log = [{ ExitCode: 1, Output: 'not yet' }];
  expect(observedContainer(inspection({ Status: 'starting', Log }))?.unhealthyBecause).toBeUndefined();
  expect(observedContainer(inspection({ Status: 'unhealthy', Log: null }))).toMatchObject({ health: 'unhealthy' });
});
