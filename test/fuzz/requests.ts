/** Requests nobody should send, one after the other from a seed: every route, with good, spoilt and broken words. */
import fc from 'fast-check';
import { z } from 'zod';
import { ServiceSpec } from '../../model/service-spec.ts';
import { arbitraryOf, spoiltJson } from './json-from-schema.ts';
import type { ApiRoute } from './routes.ts';

export interface FuzzRequest {
  readonly route: ApiRoute;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

/** What the routes with a body read; a route that takes none is here with `undefined`, so that none is forgotten. */
const NodeSpec = z.object({
  Name: z.string().optional(),
  Labels: z.record(z.string(), z.string()).optional(),
  Role: z.enum(['worker', 'manager']),
  Availability: z.enum(['active', 'pause', 'drain']),
});
const ClusterSpec = z.object({
  Labels: z.record(z.string(), z.string()).optional(),
  Orchestration: z.object({ TaskHistoryRetentionLimit: z.int().min(0).max(20).optional() }).optional(),
  Raft: z.record(z.string(), z.unknown()).optional(),
});
const bodySchemas: Readonly<Record<string, z.ZodType>> = {
  'POST /services/create': ServiceSpec,
  'POST /services/:service/update': ServiceSpec,
  'POST /nodes/:node/update': NodeSpec,
  'POST /swarm/update': ClusterSpec,
};

/** Streams answer until their client goes, which the fuzzer does at their first byte. */
export const streamingRoutes: readonly string[] = [
  'GET /events',
  'GET /v1/events',
  'GET /services/:service/logs',
  'GET /tasks/:task/logs',
];

/** What stands for `:names` in paths: things there are and things there are not. */
export interface KnownThings {
  readonly names: readonly string[];
}

const queryNames = [
  'filters',
  'version',
  'all',
  'force',
  'tail',
  'since',
  'until',
  'timestamps',
  'stdout',
  'rollback',
  'via',
  'status',
];
const queryValues = [
  '1',
  'true',
  '',
  '{',
  '{"name":["x"]}',
  '{"label":{"a":true}}',
  '{"__proto__":["x"]}',
  '[1,2]',
  '-1',
  'NaN',
  '1e9',
  '%00',
  '%E0%A4',
  '1&version=2',
  'previous',
  'coordinator',
  '99999999999999999999',
];

/** Requests to one of `routes`. */
export function requestsTo(routes: readonly ApiRoute[], things: KnownThings): fc.Arbitrary<FuzzRequest> {
  return fc.constantFrom(...routes).chain((route) => {
    const method = route.method === '_ALL' ? fc.constantFrom('GET', 'POST', 'DELETE') : fc.constant(route.method);
    return fc
      .record({
        method,
        path: pathFor(route, things),
        query: queries,
        body: bodyFor(route),
        type: contentTypes,
        prefix: versions,
      })
      .map(({ method, path, query, body, type, prefix }) => ({
        route,
        method,
        path: `${path.startsWith('/v1/') ? '' : prefix}${path}${query}`,
        headers: { 'content-type': type },
        body: method === 'GET' || method === 'HEAD' ? undefined : body,
      }));
  });
}

const versions = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.constant('/v1.41') },
  { weight: 1, arbitrary: fc.constantFrom('/v1.23', '/v9.99', '/v1.99999999999999999999') },
);

const contentTypes = fc.oneof(
  { weight: 8, arbitrary: fc.constant('application/json') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('text/plain', 'application/json; charset=utf-16', '', 'multipart/form-data'),
  },
);

const queries = fc
  .array(fc.tuple(fc.constantFrom(...queryNames), fc.constantFrom(...queryValues)), { maxLength: 3 })
  .map((pairs) =>
    pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${name}=${encodeLoosely(value)}`).join('&')}`,
  );

/** A value with its own per cent signs stays as it is: broken encodings are part of the trial. */
function encodeLoosely(value: string): string {
  return value.includes('%') || value.includes('&') ? value : encodeURIComponent(value);
}

function pathFor({ path }: ApiRoute, { names }: KnownThings): fc.Arbitrary<string> {
  const part = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...names) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('nobody', '%2e%2e', '%00', '%E0%A4%A', '__proto__', 'x'.repeat(2_000), '%F0%9F%98%80'),
    },
  );
  const tokens = path
    .replaceAll(/[{}]/g, '')
    .split('/')
    .map((token) => (/^[:*]/.test(token) ? part : fc.constant(token)));
  return fc.tuple(...tokens).map((parts) => parts.join('/'));
}

function bodyFor(route: ApiRoute): fc.Arbitrary<string | Uint8Array> {
  const schema = bodySchemas[`${route.method} ${route.path}`] ?? z.object({ Name: z.string() });
  const good = arbitraryOf(schema).map((json) => JSON.stringify(json));
  return fc.oneof(
    { weight: 3, arbitrary: good },
    { weight: 8, arbitrary: spoiltJson(schema).map(({ json }) => JSON.stringify(json)) },
    { weight: 1, arbitrary: fc.tuple(good, fc.nat()).map(([text, at]) => text.slice(0, at % text.length)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        'null',
        'NaN',
        '[',
        '{"a":1}}',
        '\uFEFF{}',
        '{"Name":NaN}',
        '['.repeat(100_000),
        `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
        `${'{"Labels":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
      ),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
}

/** The routes that read a body, to be compared with those that are there. */
export const routesWithBody: readonly string[] = Object.keys(bodySchemas);
