/**
 * Services that want to be near to others, or apart: `plimsoll.affinity` and `plimsoll.anti-affinity`, each a list of
 * services' names or `label=value`. Looked at when a task is placed; what runs stays (as Kubernetes' "required during
 * scheduling"). Apart holds both ways: a service comes to no node of one that keeps apart from it.
 */
import { containerLabels } from '../../model/labels.ts';
import type { ServiceRecord } from '../../model/service-record.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Kin, Requirements } from './filters.ts';
import type { Occupancy } from './occupancy.ts';

export const AFFINITY_LABEL = 'plimsoll.affinity';
export const ANTI_AFFINITY_LABEL = 'plimsoll.anti-affinity';

/** The terms of one of the two labels. */
export function kinTerms(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

type Kinds = Pick<Requirements, 'near' | 'apart'>;
const NO_KIN: Kinds = { near: [], apart: [] };

/** Who of a cluster's services is whose kin. */
export class Kinship {
  private readonly services: readonly ServiceRecord[];
  private readonly keepingApart: readonly ServiceRecord[];

  constructor(services: Snapshot['services']) {
    this.services = [...services.values()].map(({ value }) => value).filter((service) => !service.removedAtMs);
    this.keepingApart = this.services.filter(({ spec }) => spec.Labels?.[ANTI_AFFINITY_LABEL] !== undefined);
  }

  /** What the kin of a service ask of a node. */
  of(service: ServiceRecord, occupancy: Occupancy): Kinds {
    const labels = service.spec.Labels;
    const near = kinTerms(labels?.[AFFINITY_LABEL]);
    const apart = kinTerms(labels?.[ANTI_AFFINITY_LABEL]);
    if (near.length + apart.length + this.keepingApart.length === 0) return NO_KIN;
    const shunned = this.keepingApart.filter(
      (other) =>
        other.id !== service.id && kinTerms(other.spec.Labels?.[ANTI_AFFINITY_LABEL]).some(meansOf(service, other)),
    );
    return {
      near: near.map((term) => this.kin(term, service, occupancy)),
      apart: [
        ...apart.map((term) => this.kin(term, service, occupancy)),
        ...shunned.map(({ id, spec }) => ({ text: spec.Name, serviceIds: [id], isOpen: never })),
      ],
    };
  }

  private kin(text: string, service: ServiceRecord, occupancy: Occupancy): Kin {
    const serviceIds = this.services.filter((other) => meansOf(other, service)(text)).map(({ id }) => id);
    const isOwn = serviceIds.includes(service.id);
    return { text, serviceIds, isOpen: () => isOwn && !serviceIds.some((id) => occupancy.isAnywhere(id)) };
  }
}

function never(): boolean {
  return false;
}

/** Whether a term of `speaker` means `service`: by its name, its name within their stack, or a label of it. */
function meansOf({ spec }: ServiceRecord, speaker: ServiceRecord): (term: string) => boolean {
  const stack = speaker.spec.Labels?.[containerLabels.stackNamespace];
  return (term) => {
    const at = term.indexOf('=');
    if (at > 0) return spec.Labels?.[term.slice(0, at)] === term.slice(at + 1);
    return spec.Name === term || (stack !== undefined && spec.Name === `${stack}_${term}`);
  };
}
