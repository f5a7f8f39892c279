/** Counts and times the requests of an API: which route, which answer, how long. Never their contents. */
import type { RequestHandler } from 'express';
import { Histogram } from 'prom-client';
import type { Clock } from '../../runtime/clock.ts';
import { counterOf, type Metrics } from '../../runtime/metrics.ts';

const DURATION_BUCKETS_SECONDS = [0.002, 0.01, 0.05, 0.2, 1, 5];

/** Express middleware. The label `route` is the route's pattern, `unknown` where none matched. */
export function requestMetrics(api: string, metrics: Metrics, clock: Clock): RequestHandler {
  const requests = counterOf(metrics, 'plimsoll_api_requests_total', 'Requests answered, by route and status code.', [
    'api',
    'method',
    'route',
    'code',
  ]);
  const durations = durationsOn(metrics);
  return (req, res, next) => {
    const startedMs = clock.elapsedMs();
    res.once('close', () => {
      const route: string = req.route?.path ?? 'unknown';
      requests.inc({ api, method: req.method, route, code: String(res.statusCode) });
      durations.observe({ api, method: req.method, route }, (clock.elapsedMs() - startedMs) / 1000);
    });
    next();
  };
}

function durationsOn(metrics: Metrics): Histogram<'api' | 'method' | 'route'> {
  const name = 'plimsoll_api_request_duration_seconds';
  const existing = metrics.getSingleMetric(name);
  if (existing) return existing as Histogram<'api' | 'method' | 'route'>;
  return new Histogram({
    name,
    help: 'Time until the answer was complete; streams count until they end.',
    labelNames: ['api', 'method', 'route'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [metrics],
  });
}
