import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { answerOf, prometheusAt } from '../../../../coordinator/autoscale/prometheus.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const success = (resultType: string, result: unknown) =>
  JSON.stringify({ status: 'success', data: { resultType, result } });
const vector = (...values: string[]) =>
  success(
    'vector',
    values.map((value) => ({ metric: {}, value: [1, value] })),
  );

describe('answerOf()', () => {
  it('is the one number', () => {
    expect(answerOf(vector('12.5'))).toEqual({ value: 12.5 });
    expect(answerOf(success('scalar', [1, '3']))).toEqual({ value: 3 });
  });

  it.each<[what: string, text: string, problem: RegExp, isFault?: true]>([
    ['NaN', vector('NaN'), /it answers NaN/],
    ['infinity', vector('+Inf'), /it answers \+Inf/],
    ['a load below 0', vector('-1'), /no load is below 0/],
    ['an empty value', vector(''), /answers nothing/],
    ['no series', vector(), /no series fits/],
    ['many series', vector('1', '2', '3'), /it answers 3 series, and must answer one/, true],
    ['a matrix', success('matrix', []), /answers a matrix/, true],
    ['a text', success('string', [1, 'x']), /answers a string/, true],
    [
      'a mistake in the query',
      '{"status":"error","errorType":"bad_data","error":"1:4: parse error"}',
      /parse error/,
      true,
    ],
    [
      'a long complaint',
      JSON.stringify({ status: 'error', errorType: 'execution', error: 'x'.repeat(1_000) }),
      /: x{300}\.\.\.$/,
    ],
    ['a time limit', '{"status":"error","errorType":"timeout","error":"query timed out"}', /timed out/],
    ['something else', '<html>', /is not Prometheus/],
    [
      'something like it',
      '{"status":"success","data":{"resultType":"vector","result":[{"value":[1,2]}]}}',
      /is not Prometheus/,
    ],
  ])('has a problem with %s', (_, text, problem, isFault) => {
    const answer = answerOf(text);
    expect(answer).toMatchObject({ problem: expect.stringMatching(problem) });
    expect('isFault' in answer ? answer.isFault : undefined).toBe(isFault);
  });
});

describe('prometheusAt()', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  async function served(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('asks below the path of the URL', async () => {
    const asked: string[] = [];
    const url = await served((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end(vector('7'));
    });
    expect(await prometheusAt(`${url}/prom`, systemClock).query('sum(up)')).toEqual({ value: 7 });
    expect(asked).toEqual(['POST /prom/api/v1/query']);
  });

  it('says that it is not there', async () => {
    expect(await prometheusAt('http://127.0.0.1:1', systemClock).query('up')).toMatchObject({
      problem: expect.stringMatching(/^Prometheus at http:\/\/127\.0\.0\.1:1 does not answer/),
    });
  });

  it('leaves one that never comes to an end', async () => {
    const clock = new FakeClock();
    const requests = new EventEmitter();
    const left = once(requests, 'close');
    const asked = once(requests, 'begun');
    const url = await served((_request, response) => {
      response.on('close', () => requests.emit('close'));
      response.write('{');
      requests.emit('begun');
    });
    const answer = prometheusAt(url, clock).query('up');
    await asked;
    await clock.advance(4_000);
    expect(await answer).toMatchObject({ problem: expect.stringMatching(/did not answer within 4 s/) });
    await left;
  });

  it('reads no more than a little of an answer without end', async () => {
    const url = await served((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    expect(await prometheusAt(url, systemClock).query('up')).toMatchObject({
      problem: expect.stringMatching(/does not answer/),
    });
  });
});
