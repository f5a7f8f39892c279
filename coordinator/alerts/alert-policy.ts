/** What alerts may do to a service, as its `plimsoll.alerts` labels say it: nothing unless it says so. Pure. */
import { type AlertAction, alertActions } from '../../model/alert-record.ts';
import { parseDurationMs } from '../../model/duration.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';

export const ALERTS_LABEL = 'plimsoll.alerts';
export const ALERTS_STEP_LABEL = 'plimsoll.alerts.step';
export const ALERTS_EVERY_LABEL = 'plimsoll.alerts.every';
export const ALERTS_COOL_DOWN_LABEL = 'plimsoll.alerts.cool-down';
export const ALERTS_ROLLBACK_WITHIN_LABEL = 'plimsoll.alerts.rollback-within';

/** So many replicas, or such a share of those there are. */
export interface StepSize {
  readonly kind: 'replicas' | 'percent';
  readonly amount: number;
}

export interface AlertPolicy {
  readonly actions: ReadonlySet<AlertAction>;
  /** How many replicas an alert that names no number adds or takes away at a time. */
  readonly step: StepSize;
  /** Least time between a change of the count and the next step. */
  readonly everyMs: number;
  /** Least time between two restarts or rollbacks. */
  readonly coolDownMs: number;
  /** An update is rolled back only for an alert that began so soon after it. */
  readonly rollbackWithinMs: number;
}

interface LabelRule {
  readonly accepts: (value: string) => boolean;
  /** Ends the sentence "<label> must be ...". */
  readonly wants: string;
}

const duration: LabelRule = {
  accepts: (value) => (parseDurationMs(value) ?? 0) > 0,
  wants: 'a duration such as 30s or 10m',
};

/** The labels, by name, as the list of known ones wants them. */
export const alertLabelRules: Readonly<Record<string, LabelRule>> = {
  [ALERTS_LABEL]: {
    accepts: (value) => parseActions(value) !== undefined,
    wants: `what alerts may do, of ${alertActions.join(', ')}, between commas`,
  },
  [ALERTS_STEP_LABEL]: {
    accepts: (value) => parseStepSize(value) !== undefined,
    wants: 'a number of replicas or a share of them, 2 or 50%',
  },
  [ALERTS_EVERY_LABEL]: duration,
  [ALERTS_COOL_DOWN_LABEL]: duration,
  [ALERTS_ROLLBACK_WITHIN_LABEL]: duration,
};

const DEFAULT_STEP: StepSize = { kind: 'percent', amount: 100 };
const DEFAULT_EVERY_MS = 30_000;
const DEFAULT_COOL_DOWN_MS = 600_000;
const DEFAULT_ROLLBACK_WITHIN_MS = 3_600_000;

/** The policy of a service whose labels were accepted; undefined for one that lets alerts do nothing. */
export function alertPolicy({ Labels: labels = {} }: Pick<ServiceSpec, 'Labels'>): AlertPolicy | undefined {
  const actions = parseActions(labels[ALERTS_LABEL] ?? '');
  if (actions === undefined) return undefined;
  const time = (label: string) => parseDurationMs(labels[label] ?? '');
  return {
    actions,
    step: parseStepSize(labels[ALERTS_STEP_LABEL] ?? '') ?? DEFAULT_STEP,
    everyMs: time(ALERTS_EVERY_LABEL) ?? DEFAULT_EVERY_MS,
    coolDownMs: time(ALERTS_COOL_DOWN_LABEL) ?? DEFAULT_COOL_DOWN_MS,
    rollbackWithinMs: time(ALERTS_ROLLBACK_WITHIN_LABEL) ?? DEFAULT_ROLLBACK_WITHIN_MS,
  };
}

/** True when alerts may change the count of the service's replicas. */
export function mayScale({ actions }: AlertPolicy): boolean {
  return actions.has('scale-up') || actions.has('scale-down');
}

function parseActions(text: string): ReadonlySet<AlertAction> | undefined {
  const words = text.split(',').map((word) => word.trim());
  const actions = words.flatMap((word) => alertActions.find((action) => action === word) ?? []);
  return actions.length === words.length ? new Set(actions) : undefined;
}

function parseStepSize(text: string): StepSize | undefined {
  const [, digits, sign] = /^([1-9]\d{0,3})(%?)$/.exec(text) ?? [];
  return digits === undefined ? undefined : { kind: sign === '%' ? 'percent' : 'replicas', amount: Number(digits) };
}
