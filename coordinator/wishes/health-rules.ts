/** Docker's health check as a service may ask for it (moby daemon/container.go `validateHealthCheck`). Pure. */
import type { HealthConfig } from '../../model/service-spec.ts';
import { invalid } from './errors.ts';

const MIN_DURATION_NS = 1_000_000;
const durations = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;

/** Throws `invalid`; 0 means unset. */
export function checkHealthcheck(check: HealthConfig = {}): void {
  for (const name of durations) {
    const durationNs = check[name] ?? 0;
    if (durationNs !== 0 && durationNs < MIN_DURATION_NS) {
      throw invalid(`ContainerSpec: ${name} in HealthConfig cannot be less than 1ms`);
    }
  }
  if ((check.Retries ?? 0) < 0) throw invalid('ContainerSpec: Retries in HealthConfig cannot be negative');
}
