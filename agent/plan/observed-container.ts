/** A container of ours as the engine shows it, in the words the planner needs. */
import type { HostPort, StatusRecord } from '../../model/status-record.ts';

export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly taskId: string;
  readonly serviceId: string;
  readonly slot: number;
  readonly revision: number;
  readonly attempt: number;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** A paused container counts as running, a dead or half removed one as exited. */
  readonly phase: 'created' | 'running' | 'exited';
  readonly health: StatusRecord['health'];
  /** What Docker's health check or our liveness probe said last; absent unless unhealthy. */
  readonly unhealthyBecause?: string;
  /** What the readiness probe says; absent where the service has none. */
  readonly readiness?: 'waiting' | 'passing' | 'failing';
  readonly unreadyBecause?: string;
  readonly pid: number | undefined;
  /** Its address on the node's bridge, while it runs. */
  readonly address: string | undefined;
  /** The ports the engine serves for it, while it runs. */
  readonly hostPorts?: readonly HostPort[] | undefined;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** The engine's own words about why it could not start; usually empty. */
  readonly error: string;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
}

/** Both clocks at one moment: the wall for people and records, the elapsed one for waits. */
export interface Now {
  readonly wallMs: number;
  readonly elapsedMs: number;
}
