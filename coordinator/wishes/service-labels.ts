/** The `plimsoll.` labels of services: what Docker's API has no word for. Each area adds its own here. Pure. */

import { durationText, parseDurationMs } from '../../model/duration.ts';
import { accessLabel, parseDevices, parseSecurityOptions, parseSizeBytes } from '../../model/host-access.ts';
import { MESH_AFFINITY_LABEL, MESH_MASQUERADE_LABEL, meshAffinities } from '../../model/mesh-labels.ts';
import { LIVENESS_LABEL, PROBE_SYNTAX, parseProbe, READINESS_LABEL } from '../../model/probe.ts';
import { stopGracePeriodMs } from '../../model/service-defaults.ts';
import {
  FAILOVER_AFTER_LABEL,
  failoverPolicy,
  isMaxUnavailable,
  MAX_UNAVAILABLE_LABEL,
  ON_DISCONNECT_LABEL,
  PROGRESS_DEADLINE_LABEL,
  STOP_MARGIN_MS,
} from '../../model/service-policy.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import { alertLabelRules } from '../alerts/alert-policy.ts';
import { checkAlerts } from '../alerts/alert-rules.ts';
import { autoscaleLabelRules } from '../autoscale/policy.ts';
import { checkAutoscale } from '../autoscale/policy-rules.ts';
import { AFFINITY_LABEL, ANTI_AFFINITY_LABEL, kinTerms } from '../plan/affinity.ts';
import { VOLUME_MOVE_LABEL, volumeMoves } from '../plan/sticky-volumes.ts';
import { invalid } from './errors.ts';

interface LabelRule {
  readonly accepts: (value: string) => boolean;
  /** Ends the sentence "<label> must be ...". */
  readonly wants: string;
}

const KIN_SYNTAX = "services' names or label=value, between commas";

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
  [accessLabel('devices')]: {
    accepts: (value) => parseDevices(value) !== undefined,
    wants: 'devices such as /dev/fuse or /dev/sda:/dev/disk:r, between commas',
  },
  [accessLabel('privileged')]: { accepts: (value) => value === 'true' || value === 'false', wants: 'true or false' },
  [accessLabel('shm-size')]: { accepts: (value) => parseSizeBytes(value) !== undefined, wants: 'a size such as 256m' },
  [accessLabel('security-opt')]: {
    accepts: (value) => parseSecurityOptions(value) !== undefined,
    wants: 'options such as apparmor=unconfined, between spaces',
  },
  [READINESS_LABEL]: { accepts: (value) => parseProbe(value) !== undefined, wants: PROBE_SYNTAX },
  [LIVENESS_LABEL]: {
    accepts: (value) => parseProbe(value)?.successThreshold === 1,
    wants: `${PROBE_SYNTAX}, with a success-threshold of 1`,
  },
  [PROGRESS_DEADLINE_LABEL]: { accepts: isDuration, wants: 'a duration such as 90s or 10m' },
  [FAILOVER_AFTER_LABEL]: {
    accepts: (value) => parseDurationMs(value) !== undefined,
    wants: 'a duration such as 30s or 5m',
  },
  [ON_DISCONNECT_LABEL]: { accepts: (value) => value === 'keep' || value === 'stop', wants: 'keep or stop' },
  [AFFINITY_LABEL]: { accepts: isKinList, wants: KIN_SYNTAX },
  [ANTI_AFFINITY_LABEL]: { accepts: isKinList, wants: KIN_SYNTAX },
  ...autoscaleLabelRules,
  ...alertLabelRules,
  [VOLUME_MOVE_LABEL]: { accepts: (value) => isVolumeMove(value), wants: volumeMoves.join(' or ') },
  [MESH_AFFINITY_LABEL]: {
    accepts: (value) => meshAffinities.some((affinity) => affinity === value),
    wants: meshAffinities.join(' or '),
  },
  [MESH_MASQUERADE_LABEL]: { accepts: (value) => value === 'true' || value === 'false', wants: 'true or false' },
  [MAX_UNAVAILABLE_LABEL]: { accepts: isMaxUnavailable, wants: 'a number of replicas or a share of them, 1 or 25%' },
};

function isKinList(value: string): boolean {
  const terms = kinTerms(value);
  return terms.length > 0 && terms.every((term) => /^[^\s=]+(?:=.*)?$/.test(term));
}

function isVolumeMove(value: string): boolean {
  return volumeMoves.some((move) => move === value);
}

function isDuration(value: string): boolean {
  return (parseDurationMs(value) ?? 0) > 0;
}

/** Throws `invalid`, naming the label: one of ours that is unknown or malformed, on the service or on its containers. */
export function checkServiceLabels(spec: ServiceSpec): void {
  refuseUnknownLabels(spec.Labels ?? {});
  refuseLabelValues('Labels', spec.Labels);
  refuseLabelValues('TaskTemplate.ContainerSpec.Labels', spec.TaskTemplate.ContainerSpec.Labels);
  refuseHastyStop(spec);
  checkAlerts(spec);
  checkAutoscale(spec);
}

/** A task must be gone for certain before its stand-in starts: `after` its last contact it is stopped, twice that later. */
function refuseHastyStop({ Labels, TaskTemplate }: ServiceSpec): void {
  const { onDisconnect, afterMs } = failoverPolicy(Labels);
  const leastMs = stopGracePeriodMs(TaskTemplate) + STOP_MARGIN_MS;
  if (onDisconnect === 'keep' || afterMs >= leastMs) return;
  throw invalid(
    `Labels: ${FAILOVER_AFTER_LABEL} is ${durationText(afterMs)}; with ${ON_DISCONNECT_LABEL}=stop it must be at least the ` +
      `stop grace period and ${durationText(STOP_MARGIN_MS)}: ${durationText(leastMs)}`,
  );
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
