/** Series our boards and alerts use that none of our pages serves, and who serves them. */
export const seriesOfOthers = [
  // Prometheus itself.
  /^(up|ALERTS|scrape_duration_seconds|scrape_samples_scraped)$/,
  // prom-client, on every page: docs/metrics.md names them as a whole.
  /^(process|nodejs)_\w+$/,
] as const;
