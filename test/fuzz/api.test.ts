/** Every route of both APIs gets what nobody should send: it answers, says what was wrong, and writes nothing. */
import { Agent } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerTo, complaintAbout } from './answers.ts';
import { requestsTo, routesWithBody, streamingRoutes } from './requests.ts';
import { type ApiRoute, routesOf } from './routes.ts';
import { type ServedApis, serveApis } from './served-apis.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_123);
const runs = Number(process.env['FUZZ_RUNS'] ?? 250);
const things = { names: ['h1', 'h2', 'web', 'main', 'bridge'] };

describe('the APIs under fuzz', () => {
  let apis: ServedApis;
  const agent = new Agent({ keepAlive: false });

  beforeAll(async () => {
    apis = await serveApis();
  });

  afterAll(async () => {
    agent.destroy();
    await apis.stop();
  });

  const nameOf = ({ method, path }: ApiRoute) => `${method} ${path}`;
  /** What wishes there are, by the numbers of their writes. */
  const written = () => {
    const buckets = ['plim_spec', 'plim_name'] as const;
    return buckets.map((name) => apis.memory.store(name).backup().revision);
  };

  it.each([
    ['the socket', 'docker'],
    ['the socket', 'local'],
    ['the public port', 'readOnly'],
  ] as const)(
    'on %s: %s',
    async (where, which) => {
      const routes = routesOf(apis.listeners[which]);
      const place =
        where === 'the socket' ? { socketPath: apis.socketPath } : { host: '127.0.0.1', port: apis.pagesPort };
      const statuses = new Map<number, number>();
      await fc.assert(
        fc.asyncProperty(requestsTo(routes, things), async (request) => {
          const before = written();
          const answer = await answerTo({ ...place, agent }, request, streamingRoutes.includes(nameOf(request.route)));
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          expect(complaintAbout(answer), `${answer.status} ${answer.body}`).toBeUndefined();
          const mayWrite = answer.status < 400;
          expect(mayWrite ? before : written(), `written by a refused request: ${answer.body}`).toEqual(before);
        }),
        { seed, numRuns: runs },
      );
      expect(statuses.has(200)).toBe(true);
    },
    180_000,
  );

  it('knows every route with a body, and every one that streams', () => {
    const all = [...routesOf(apis.listeners.docker), ...routesOf(apis.listeners.local)].map(nameOf);
    expect(all.length).toBeGreaterThan(60);
    expect(all).toEqual(expect.arrayContaining([...routesWithBody, ...streamingRoutes]));
  });
});
