/**
 * Probes of a service's containers beside Docker's health check, as labels say them: `plimsoll.readiness` decides whether
 * a task gets traffic and counts as ready, `plimsoll.liveness` whether its container is replaced. Fields and defaults are
 * Kubernetes' (Probe v1): `period=5s failure-threshold=2 http://:8080/healthz`, `tcp://:5432`, `exec test -f /ready`.
 */
import { parseDurationMs } from './duration.ts';

export const READINESS_LABEL = 'plimsoll.readiness';
export const LIVENESS_LABEL = 'plimsoll.liveness';

export type ProbeTarget =
  | { readonly kind: 'http'; readonly scheme: 'http' | 'https'; readonly port: number; readonly path: string }
  | { readonly kind: 'tcp'; readonly port: number }
  /** Run in the container without a shell. */
  | { readonly kind: 'exec'; readonly command: readonly string[] };

export interface Probe {
  readonly target: ProbeTarget;
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

type ProbeTiming = Omit<Probe, 'target'>;

const defaults: ProbeTiming = {
  initialDelayMs: 0,
  periodMs: 10_000,
  timeoutMs: 1_000,
  successThreshold: 1,
  failureThreshold: 3,
};

/** Least values: what is run more often than this measures itself. */
const options: Readonly<Record<string, { field: keyof ProbeTiming; read: (text: string) => number | undefined }>> = {
  'initial-delay': { field: 'initialDelayMs', read: parseDurationMs },
  period: { field: 'periodMs', read: (text) => atLeast(100, parseDurationMs(text)) },
  timeout: { field: 'timeoutMs', read: (text) => atLeast(10, parseDurationMs(text)) },
  'success-threshold': { field: 'successThreshold', read: parseCount },
  'failure-threshold': { field: 'failureThreshold', read: parseCount },
};

/** Ends the sentence "<label> must be ...". */
export const PROBE_SYNTAX =
  '[initial-delay=0s] [period=10s] [timeout=1s] [success-threshold=1] [failure-threshold=3] and then ' +
  'http://:PORT/PATH, https://:PORT/PATH, tcp://:PORT or exec COMMAND...';

/** The probe a label's value says; undefined for what says none. */
export function parseProbe(value: string): Probe | undefined {
  const words = value.trim().split(/\s+/);
  const given: { -readonly [K in keyof ProbeTiming]?: number } = {};
  for (;;) {
    const [, name = '', text = ''] = /^([a-z-]+)=(.*)$/.exec(words[0] ?? '') ?? [];
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) break;
    const number = option.read(text);
    if (number === undefined) return undefined;
    given[option.field] = number;
    words.shift();
  }
  const target = parseTarget(words);
  return target && { ...defaults, ...given, target };
}

function parseTarget([first = '', ...rest]: readonly string[]): ProbeTarget | undefined {
  if (first === 'exec') return rest.length > 0 ? { kind: 'exec', command: rest } : undefined;
  const [, scheme, digits, path] = /^(http|https|tcp):\/\/:(\d{1,5})(\/\S*)?$/.exec(first) ?? [];
  const port = Number(digits);
  if (rest.length > 0 || !(port >= 1 && port <= 65_535)) return undefined;
  if (scheme === 'tcp') return path === undefined ? { kind: 'tcp', port } : undefined;
  return scheme === 'http' || scheme === 'https' ? { kind: 'http', scheme, port, path: path ?? '/' } : undefined;
}

function atLeast(least: number, value: number | undefined): number | undefined {
  return value !== undefined && value >= least ? value : undefined;
}

function parseCount(text: string): number | undefined {
  return /^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined;
}
