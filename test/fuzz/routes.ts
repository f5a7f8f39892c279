/** Every route of an API, read from its router: one that is added later cannot be forgotten. */
import type { RequestListener } from 'node:http';
import { z } from 'zod';

export interface ApiRoute {
  /** GET, POST, ...; `_all` routes take any. */
  readonly method: string;
  /** As declared: `/services/:service/update`. */
  readonly path: string;
}

const Layer = z.object({
  route: z.object({ path: z.string(), methods: z.record(z.string(), z.boolean()) }).optional(),
  handle: z.unknown(),
});
const Routed = z.object({ stack: z.array(Layer) });
const App = z.object({ router: z.unknown() });

/** The routes of an express application and of the routers it uses, in their order. Throws for what is none. */
export function routesOf(application: RequestListener): ApiRoute[] {
  return routesIn(App.parse(membersOf(application)).router);
}

function routesIn(router: unknown): ApiRoute[] {
  return Routed.parse(membersOf(router)).stack.flatMap(({ route, handle }) => {
    if (route) return Object.keys(route.methods).map((method) => ({ method: method.toUpperCase(), path: route.path }));
    return Routed.safeParse(membersOf(handle)).success ? routesIn(handle) : [];
  });
}

/** Applications and routers are functions with members, which a schema of an object does not take. */
function membersOf(value: unknown): unknown {
  if (typeof value !== 'function') return value;
  return { router: Reflect.get(value, 'router'), stack: Reflect.get(value, 'stack') };
}
