/** Which alerts a service may let act: what each label says is known to be well-formed, together they must make sense. Pure. */
import type { ServiceSpec } from '../../model/service-spec.ts';
import { autoscaleLabel } from '../autoscale/policy.ts';
import { invalid } from '../wishes/errors.ts';
import { ALERTS_LABEL, alertLabelRules, alertPolicy, mayScale } from './alert-policy.ts';

/** Throws `invalid`, naming the label. */
export function checkAlerts({ Labels: labels = {} }: ServiceSpec): void {
  const policy = alertPolicy({ Labels: labels });
  if (policy === undefined) {
    const lonely = Object.keys(alertLabelRules).find((label) => labels[label] !== undefined);
    if (lonely !== undefined) throw invalid(`Labels: ${lonely} needs ${ALERTS_LABEL}, which says what alerts may do`);
    return;
  }
  if (!mayScale(policy) || labels[autoscaleLabel('max')] !== undefined) return;
  throw invalid(
    `Labels: ${ALERTS_LABEL} lets alerts scale the service, and ${autoscaleLabel('max')} is not there: up to how many replicas`,
  );
}
