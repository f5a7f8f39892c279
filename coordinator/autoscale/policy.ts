/**
 * How a service scales itself, as its `plimsoll.autoscale.` labels say it. Defaults are those of Kubernetes'
 * HorizontalPodAutoscaler v2 unless said. Pure.
 */
import { parseDurationMs } from '../../model/duration.ts';
import type { ServiceSpec } from '../../model/service-spec.ts';
import { alertPolicy, mayScale, type StepSize } from '../alerts/alert-policy.ts';

/** What the labels begin with. */
export const AUTOSCALE_AREA = 'plimsoll.autoscale.';
/** Of one service, as everywhere. */
const MAX_REPLICAS = 10_000;

/** At most so many replicas, or so large a share of them, are added or taken away within a period. */
export interface StepLimit {
  readonly kind: 'replicas' | 'percent';
  readonly amount: number;
  readonly periodMs: number;
}

export interface Pace {
  /** Up: the lowest count asked for in this time is taken; down: the highest. */
  readonly windowMs: number;
  /** The one that allows most counts. */
  readonly steps: readonly StepLimit[];
  /** Least time between two changes in this direction. */
  readonly coolDownMs: number;
}

export type LoadTarget =
  /** Percent of what a replica reserves, or is limited to: cores or bytes. */
  | { readonly source: 'cpu' | 'memory'; readonly percent: number; readonly reserved: number }
  /** New connections a replica should get in a second. */
  | { readonly source: 'connections'; readonly perSecond: number }
  /** total: what one replica can carry of the query's answer. per-replica: what the answer, a mean over replicas, should be. */
  | {
      readonly source: 'query';
      readonly query: string;
      readonly target: number;
      readonly answers: 'total' | 'per-replica';
    }
  /** How many messages may wait for a consumer, per replica. */
  | { readonly source: 'nats'; readonly stream: string; readonly consumer: string; readonly lag: number }
  /** What alerts ask for, see alert-load.ts. */
  | {
      readonly source: 'alert';
      readonly adds: boolean;
      readonly takesAway: boolean;
      readonly step: StepSize;
      readonly everyMs: number;
      readonly least: number;
      /** Something else is measured, too. */
      readonly isOneOfSeveral: boolean;
    };

export interface AutoscalePolicy {
  readonly min: number;
  readonly max: number;
  /** advise: decide and tell, change nothing. */
  readonly mode: 'on' | 'advise';
  readonly targets: readonly LoadTarget[];
  /** A load this close to its target changes nothing: 0.1 is a tenth. */
  readonly tolerance: number;
  /** How long a replica must have been ready before what it uses tells anything. */
  readonly warmUpMs: number;
  /** How long a count somebody sets by hand is left alone. */
  readonly holdOffMs: number;
  readonly up: Pace;
  readonly down: Pace;
}

interface LabelOption<T> {
  readonly read: (text: string) => T | undefined;
  /** Ends the sentence "<label> must be ...". */
  readonly wants: string;
}

const STEPS_SYNTAX = 'replicas or a share of them in a time, such as 4/15s or 100%/15s, between commas';
const duration: LabelOption<number> = { read: parseDurationMs, wants: 'a duration such as 30s or 5m' };
const percent: LabelOption<number> = {
  read: (text) => numberIn(text.replace(/%$/, ''), 1, 1_000),
  wants: 'a share of what a replica reserves in percent, 1 to 1000',
};
const natsName: LabelOption<string> = {
  read: (text) => (/^[^\s.*>/\\]{1,255}$/.test(text) ? text : undefined),
  wants: 'a name without blanks, dots, * and >',
};
const replicas: LabelOption<number> = {
  read: (text) => (/^\d+$/.test(text) ? numberIn(text, 0, MAX_REPLICAS) : undefined),
  wants: `a number of replicas, 0 to ${MAX_REPLICAS}`,
};

const options = {
  min: replicas,
  max: replicas,
  mode: choiceOf('on', 'advise'),
  cpu: percent,
  memory: percent,
  connections: {
    read: (text: string) => numberIn(text, Number.MIN_VALUE, Number.MAX_VALUE),
    wants: 'new connections a second that a replica should get, a number above 0',
  },
  query: { read: (text: string) => text.trim() || undefined, wants: 'an expression in PromQL' },
  target: {
    read: (text: string) => numberIn(text, Number.MIN_VALUE, Number.MAX_VALUE),
    wants: 'a number above 0',
  },
  'query-answers': choiceOf('total', 'per-replica'),
  'nats.stream': natsName,
  'nats.consumer': natsName,
  'nats.lag': {
    read: (text: string) => numberIn(text, 1, Number.MAX_SAFE_INTEGER),
    wants: 'a number of messages, 1 or more',
  },
  tolerance: { read: (text: string) => numberIn(text, 0, 0.9), wants: 'a share between 0 and 0.9, such as 0.1' },
  'warm-up': duration,
  'hold-off': duration,
  'up-window': duration,
  'up-steps': { read: parseSteps, wants: STEPS_SYNTAX },
  'up-cool-down': duration,
  'down-window': duration,
  'down-steps': { read: parseSteps, wants: STEPS_SYNTAX },
  'down-cool-down': duration,
} as const satisfies Readonly<Record<string, LabelOption<unknown>>>;

type OptionName = keyof typeof options;
type Given = { readonly [K in OptionName]: NonNullable<ReturnType<(typeof options)[K]['read']>> | undefined };

/** The labels, by name, as the list of known ones wants them. */
export const autoscaleLabelRules = Object.fromEntries(
  Object.entries(options).map(([name, { read, wants }]) => [
    autoscaleLabel(name as OptionName),
    { accepts: (value: string) => read(value) !== undefined, wants },
  ]),
);

export function autoscaleLabel(name: OptionName): string {
  return AUTOSCALE_AREA + name;
}

const DEFAULT_PERIOD_MS = 15_000;
/** One window of measuring, as in Kubernetes, and a container's first busy seconds. */
const DEFAULT_WARM_UP_MS = 10_000;
const DEFAULT_HOLD_OFF_MS = 600_000;
const DEFAULT_DOWN_WINDOW_MS = 300_000;
const defaultUpSteps: readonly StepLimit[] = [
  { kind: 'percent', amount: 100, periodMs: DEFAULT_PERIOD_MS },
  { kind: 'replicas', amount: 4, periodMs: DEFAULT_PERIOD_MS },
];
const defaultDownSteps: readonly StepLimit[] = [{ kind: 'percent', amount: 100, periodMs: DEFAULT_PERIOD_MS }];

/** True when any of its labels is about autoscaling. */
export function hasAutoscaleLabels(labels: Readonly<Record<string, string>> | undefined): boolean {
  return Object.keys(labels ?? {}).some((label) => label.startsWith(AUTOSCALE_AREA));
}

/** The policy of a service whose labels were accepted; undefined for one that does not scale itself. */
export function autoscalePolicy(spec: ServiceSpec): AutoscalePolicy | undefined {
  if (!hasAutoscaleLabels(spec.Labels)) return undefined;
  const given = readOptions(spec.Labels ?? {});
  if (given.max === undefined) return undefined;
  return {
    min: given.min ?? 1,
    max: given.max,
    mode: given.mode ?? 'on',
    targets: withAlerts(targetsOf(given, spec), spec, given.min ?? 1),
    tolerance: given.tolerance ?? 0.1,
    warmUpMs: given['warm-up'] ?? DEFAULT_WARM_UP_MS,
    holdOffMs: given['hold-off'] ?? DEFAULT_HOLD_OFF_MS,
    up: {
      windowMs: given['up-window'] ?? 0,
      steps: given['up-steps'] ?? defaultUpSteps,
      coolDownMs: given['up-cool-down'] ?? 0,
    },
    down: {
      windowMs: given['down-window'] ?? DEFAULT_DOWN_WINDOW_MS,
      steps: given['down-steps'] ?? defaultDownSteps,
      coolDownMs: given['down-cool-down'] ?? 0,
    },
  };
}

/** Cores and bytes a share is taken of: what a replica reserves, else its limit; undefined without either. */
export function reservedOf({ TaskTemplate: { Resources } }: ServiceSpec, source: 'cpu' | 'memory'): number | undefined {
  const { Reservations, Limits } = Resources ?? {};
  if (source === 'memory') return Reservations?.MemoryBytes || Limits?.MemoryBytes || undefined;
  const nanoCpus = Reservations?.NanoCPUs || Limits?.NanoCPUs;
  return nanoCpus ? nanoCpus / 1e9 : undefined;
}

function targetsOf(given: Given, spec: ServiceSpec): LoadTarget[] {
  const shares = (['cpu', 'memory'] as const).flatMap((source): LoadTarget[] => {
    const reserved = reservedOf(spec, source);
    const percent = given[source];
    return percent === undefined || reserved === undefined ? [] : [{ source, percent, reserved }];
  });
  const { query, target, connections } = given;
  if (connections !== undefined) shares.push({ source: 'connections', perSecond: connections });
  const { 'nats.stream': stream, 'nats.consumer': consumer, 'nats.lag': lag } = given;
  if (stream !== undefined && consumer !== undefined && lag !== undefined) {
    shares.push({ source: 'nats', stream, consumer, lag });
  }
  if (query === undefined || target === undefined) return shares;
  return [...shares, { source: 'query', query, target, answers: given['query-answers'] ?? 'total' }];
}

function withAlerts(targets: readonly LoadTarget[], spec: ServiceSpec, least: number): readonly LoadTarget[] {
  const policy = alertPolicy(spec);
  if (policy === undefined || !mayScale(policy)) return targets;
  const { actions, step, everyMs } = policy;
  const [adds, takesAway] = [actions.has('scale-up'), actions.has('scale-down')];
  const isOneOfSeveral = targets.length > 0;
  return [...targets, { source: 'alert', adds, takesAway, step, everyMs, least, isOneOfSeveral }];
}

function readOptions(labels: Readonly<Record<string, string>>): Given {
  const entries = Object.entries(options).map(([name, { read }]) => {
    const text = labels[AUTOSCALE_AREA + name];
    return [name, text === undefined ? undefined : read(text)];
  });
  return Object.fromEntries(entries) as Given;
}

function choiceOf<const T extends string>(...choices: readonly T[]): LabelOption<T> {
  return { read: (text) => choices.find((choice) => choice === text), wants: choices.join(' or ') };
}

/** Decimal digits only: `1e9`, ` 5` and `0x10` are slips of the hand. */
function numberIn(text: string, least: number, most: number): number | undefined {
  const number = /^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}

function parseSteps(text: string): readonly StepLimit[] | undefined {
  const steps = text.split(',').map((part) => parseStep(part.trim()));
  return steps.every((step) => step !== undefined) ? steps : undefined;
}

function parseStep(text: string): StepLimit | undefined {
  const [, digits = '', sign, time = ''] = /^([1-9]\d{0,4})(%?)\/(\S+)$/.exec(text) ?? [];
  const periodMs = parseDurationMs(time);
  if (!periodMs) return undefined;
  return { kind: sign === '%' ? 'percent' : 'replicas', amount: Number(digits), periodMs };
}
