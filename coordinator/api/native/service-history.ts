/** The revisions of a service, and what each changed. Pure. */

import type { ServiceHistory } from '../../../model/service-history.ts';
import type { Revision, ServiceRecord } from '../../../model/service-record.ts';
import { differences } from '../../spec-differences.ts';

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
