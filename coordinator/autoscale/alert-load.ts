/** How many replicas the alerts that fire ask for: by their state, however often they are told of. Pure. */
import type { AlertState } from '../../model/alert-record.ts';
import { durationText } from '../../model/duration.ts';
import type { LoadReading } from '../../model/scale-record.ts';
import type { StepSize } from '../alerts/alert-policy.ts';
import { standingOf } from '../alerts/alert-state.ts';
import type { Crew } from './measurement.ts';
import type { LoadTarget } from './policy.ts';

export type AlertTarget = Extract<LoadTarget, { source: 'alert' }>;

export interface AlertedCrew extends Crew {
  readonly alerts: readonly AlertState[];
  /** Since the count was changed last; Infinity when it never was. */
  readonly sinceChangeMs: number;
  /** Wall time, as in the alerts. */
  readonly nowMs: number;
}

/**
 * An alert that names a number asks for that many; another one for a step, and for the next when the count has stood for a
 * while and all replicas are ready. Else the alerts are silent where something else is measured, as the highest load counts; where nothing is,
 * they hold the count if only an alert may lower it, and ask for the least if none may. Undefined: nothing to say.
 */
export function measureAlerts(target: AlertTarget, crew: AlertedCrew): LoadReading | undefined {
  const standing = crew.alerts.map((alert) => ({ alert, is: standingOf(alert, crew.nowMs) }));
  const firing = (action: AlertState['action']) =>
    standing.flatMap(({ alert, is }) => (is === 'firing' && alert.action === action ? [alert] : []));
  const up = target.adds ? firing('scale-up') : [];
  if (up.length > 0) return askingForMore(up, target, crew);
  const unheard = standing.find(({ alert, is }) => is === 'unheard' && alert.action === 'scale-up');
  if (unheard && target.adds) {
    const silentMs = Math.floor((crew.nowMs - unheard.alert.heardAtMs) / 60_000) * 60_000;
    const words = `alert ${unheard.alert.name} fired and was not heard of for ${durationText(silentMs)}`;
    return { source: 'alert', target: crew.wanted, words };
  }
  if (target.isOneOfSeveral) return undefined;
  const [down] = target.takesAway ? firing('scale-down') : [];
  if (down !== undefined) return reading(fewer(target, crew), `alert ${down.name} asks for fewer`, crew);
  return target.takesAway
    ? reading(crew.wanted, 'no alert fires, and only one may take replicas away', crew)
    : reading(target.least, 'no alert fires', crew);
}

function askingForMore(alerts: readonly AlertState[], target: AlertTarget, crew: AlertedCrew): LoadReading {
  const asked = alerts.map(({ name, replicas }) => {
    if (replicas !== undefined) return { wanted: replicas, words: `alert ${name} asks for ${replicas}` };
    return { wanted: more(target, crew), words: `alert ${name} asks for more` };
  });
  const [highest] = asked.sort((a, b) => b.wanted - a.wanted);
  return reading(highest?.wanted ?? crew.wanted, highest?.words ?? '', crew);
}

function reading(wanted: number, words: string, crew: Crew): LoadReading {
  return { source: 'alert', value: wanted, target: crew.wanted, wanted, words };
}

function more({ step, everyMs }: AlertTarget, crew: AlertedCrew): number {
  return mayStep(everyMs, crew) ? crew.wanted + Math.max(1, sizeOf(step, crew.wanted)) : crew.wanted;
}

/** What undoes a step up: a share of 100 % halves. */
function fewer({ step, everyMs }: AlertTarget, crew: AlertedCrew): number {
  if (!mayStep(everyMs, crew)) return crew.wanted;
  const by = step.kind === 'replicas' ? step.amount : sizeOf(step, Math.floor(crew.wanted / (1 + step.amount / 100)));
  return Math.max(0, crew.wanted - Math.max(1, by));
}

function sizeOf({ kind, amount }: StepSize, count: number): number {
  return kind === 'replicas' ? amount : Math.ceil((count * amount) / 100);
}

/** Replicas that do not serve yet have not shown whether they are enough. A clock that was set back stops nothing for long. */
function mayStep(everyMs: number, { replicas, wanted, sinceChangeMs }: AlertedCrew): boolean {
  const ready = replicas.filter(({ readyForMs }) => readyForMs !== undefined).length;
  return Math.abs(sinceChangeMs) >= everyMs && ready >= wanted;
}
