/** The revisions of a service, and what each changed. Pure. */
import type { Revision, ServiceRecord } from '../../../model/records.ts';
import type { ServiceHistory } from '../../../model/service-history.ts';
import { sameValue } from '../../plan/same-value.ts';

/** Longer values say more than a line can. */
const MAX_VALUE_LENGTH = 60;

export function serviceHistory({ id, spec, revision, revisions }: ServiceRecord): ServiceHistory {
  return {
    id,
    name: spec.Name,
    revisions: revisions.map((each, index) => ({
      number: each.number,
      current: each.number === revision,
      image: each.taskTemplate.ContainerSpec.Image,
      sinceMs: each.createdAtMs,
      changes: changesBetween(revisions[index - 1], each),
    })),
  };
}

function changesBetween(before: Revision | undefined, after: Revision): string[] {
  if (!before) return [];
  return [
    ...differences('', before.taskTemplate, after.taskTemplate),
    ...differences('EndpointSpec', before.endpointSpec, after.endpointSpec),
  ];
}

/** `path: before -> after` for every value that differs; lists are compared as a whole. */
function differences(path: string, before: unknown, after: unknown): string[] {
  if (sameValue(before, after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [`${path}: ${words(before)} -> ${words(after)}`];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => differences(path === '' ? key : `${path}.${key}`, before[key], after[key]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function words(value: unknown): string {
  if (value === undefined) return '(not set)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}...` : text;
}
