/** The `plimsoll.` labels of services: what Docker's API has no word for. Each area adds its own here. Pure. */
import type { ServiceSpec } from '../../model/service-spec.ts';
import { invalid } from './errors.ts';

interface LabelRule {
  readonly accepts: (value: string) => boolean;
  /** Ends the sentence "<label> must be ...". */
  readonly wants: string;
}

/** Labels that mean something to Plimsoll, and what they may say. Any other `plimsoll.` label is a typing error worth hearing of. */
const knownLabels: Readonly<Record<string, LabelRule>> = {
  'plimsoll.scrape.port': {
    accepts: (value) => /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535,
    wants: 'a port, 1 to 65535',
  },
  'plimsoll.scrape.path': {
    accepts: (value) => /^\/[^\s?#]*$/.test(value),
    wants: 'a path such as /metrics, without a query',
  },
};

/** Throws `invalid`, naming the label: one of ours that is unknown or malformed, on the service or on its containers. */
export function checkServiceLabels(spec: ServiceSpec): void {
  refuseUnknownLabels(spec.Labels ?? {});
  refuseLabelValues('Labels', spec.Labels);
  refuseLabelValues('TaskTemplate.ContainerSpec.Labels', spec.TaskTemplate.ContainerSpec.Labels);
}

function refuseUnknownLabels(labels: Readonly<Record<string, string>>): void {
  for (const label of Object.keys(labels)) {
    if (label.startsWith('plimsoll.') && !Object.hasOwn(knownLabels, label)) {
      throw invalid(`Labels: Plimsoll knows no label "${label}"; known: ${Object.keys(knownLabels).join(', ')}`);
    }
  }
}

function refuseLabelValues(field: string, labels: Readonly<Record<string, string>> = {}): void {
  for (const [label, { accepts, wants }] of Object.entries(knownLabels)) {
    const value = labels[label];
    if (value !== undefined && !accepts(value)) throw invalid(`${field}: ${label} must be ${wants}, not "${value}"`);
  }
}
