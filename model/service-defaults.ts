/** What an unset field of a service means: one place, the values of swarmkit's api/defaults/service.go. */
import { replicatedJobRules } from './jobs.ts';
import type { RestartPolicy, ServiceSpec, UpdateConfig } from './service-spec.ts';

const SECOND_NS = 1_000_000_000;
export const DEFAULT_STOP_GRACE_PERIOD_NS = 10 * SECOND_NS;
export const DEFAULT_MONITOR_NS = 5 * SECOND_NS;

export interface RestartRules {
  readonly condition: 'none' | 'on-failure' | 'any';
  /** Set only when the user gave a restart delay: it is then obeyed to the letter instead of Plimsoll's back-off. */
  readonly delayMs: number | undefined;
  /** 0 = unlimited. */
  readonly maxAttempts: number;
  /** 0 = count attempts for ever. */
  readonly windowMs: number;
}

/** The restart policy of a task with defaults filled in; an absent delay means back-off (design: who restarts what). */
export function restartRules(policy: RestartPolicy | undefined): RestartRules {
  return {
    condition: policy?.Condition || 'any',
    delayMs: policy?.Delay === undefined ? undefined : policy.Delay / 1e6,
    maxAttempts: policy?.MaxAttempts ?? 0,
    windowMs: (policy?.Window ?? 0) / 1e6,
  };
}

export interface UpdateRules {
  /** 0 = all at once. */
  readonly parallelism: number;
  readonly delayMs: number;
  readonly failureAction: 'pause' | 'continue' | 'rollback';
  readonly monitorMs: number;
  readonly maxFailureRatio: number;
  readonly order: 'stop-first' | 'start-first';
}

/** The six knobs of an update or rollback with defaults filled in. */
export function updateRules(config: UpdateConfig | undefined): UpdateRules {
  return {
    parallelism: config?.Parallelism ?? 1,
    delayMs: (config?.Delay ?? 0) / 1e6,
    failureAction: config?.FailureAction || 'pause',
    monitorMs: (config?.Monitor || DEFAULT_MONITOR_NS) / 1e6,
    maxFailureRatio: config?.MaxFailureRatio ?? 0,
    order: config?.Order || 'stop-first',
  };
}

export function stopGracePeriodMs(spec: ServiceSpec['TaskTemplate']): number {
  return (spec.ContainerSpec.StopGracePeriod ?? DEFAULT_STOP_GRACE_PERIOD_NS) / 1e6;
}

/** The number of slots a service wants; 1 when unset, as `docker service create` means it. A job's are its completions. */
export function desiredReplicas(spec: ServiceSpec): number {
  return replicatedJobRules(spec)?.completions ?? spec.Mode?.Replicated?.Replicas ?? 1;
}

/** One slot per node: global services and global jobs. */
export function isGlobal(spec: ServiceSpec): boolean {
  return spec.Mode?.Global !== undefined || spec.Mode?.GlobalJob !== undefined;
}

export const modeNames = ['replicated', 'global', 'replicated-job', 'global-job'] as const;
export type ModeName = (typeof modeNames)[number];

/** The mode as `docker service create --mode` spells it. */
export function modeName({ Mode }: ServiceSpec): ModeName {
  if (Mode?.ReplicatedJob) return 'replicated-job';
  if (Mode?.GlobalJob) return 'global-job';
  return Mode?.Global ? 'global' : 'replicated';
}
