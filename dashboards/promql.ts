/** The few turns of PromQL the boards are written in. */

/** The series of a metric in the jobs chosen: `of('up', 'instance="h1"')`. */
export function of(metric: string, ...matchers: readonly string[]): string {
  return `${metric}{${['job=~"$job"', ...matchers].join(',')}}`;
}

/** The same on the nodes chosen: what agents tell of their own host. */
export function onNodes(metric: string, ...matchers: readonly string[]): string {
  return of(metric, 'instance=~"$instance"', ...matchers);
}

/** Per second, over as little time as the resolution of the page allows. */
export function rate(selector: string): string {
  return `rate(${selector}[$__rate_interval])`;
}

/** How many in that time. */
export function increase(selector: string): string {
  return `increase(${selector}[$__rate_interval])`;
}

/** How many in the last hour: whole ones, where Prometheus extrapolates to a fraction. */
export function inLastHour(selector: string): string {
  return `round(increase(${selector}[1h]))`;
}

export function sum(labels: string, expr: string): string {
  return aggregate('sum', labels, expr);
}

/** State that each coordinator tells alike is taken once. */
export function max(labels: string, expr: string): string {
  return aggregate('max', labels, expr);
}

export function min(labels: string, expr: string): string {
  return aggregate('min', labels, expr);
}

export function count(labels: string, expr: string): string {
  return aggregate('count', labels, expr);
}

function aggregate(operation: string, labels: string, expr: string): string {
  return labels === '' ? `${operation}(${expr})` : `${operation} by (${labels}) (${expr})`;
}

export function orZero(expr: string): string {
  return `${expr} or vector(0)`;
}

/** Of a histogram, in its own unit. `labels` are kept beside the buckets'. */
export function quantile(q: number, histogram: string, labels = '', ...matchers: readonly string[]): string {
  const kept = labels === '' ? 'le' : `le, ${labels}`;
  return `histogram_quantile(${q}, ${sum(kept, rate(of(`${histogram}_bucket`, ...matchers)))})`;
}

/** The usual three lines of a histogram. */
export function quantiles(histogram: string, ...matchers: readonly string[]): Record<string, string> {
  return {
    median: quantile(0.5, histogram, '', ...matchers),
    '95 %': quantile(0.95, histogram, '', ...matchers),
    '99 %': quantile(0.99, histogram, '', ...matchers),
  };
}

/** The series with the highest values. */
export function top(howMany: number, expr: string): string {
  return `topk(${howMany}, ${expr})`;
}
