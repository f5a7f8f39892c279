/** What the agent learns of the host it runs on, and does there, other than through the engine. */
import type { ObservedContainer } from './plan/observed-container.ts';

export interface Host {
  hostname(): string;
  /** The IPv4 address of this host that others reach it at, seen from `other`. */
  addressTowards(other: string): Promise<string>;
  /** What fits into a packet at the interface with this address; undefined where the host does not tell. */
  uplinkMtuBytes(address: string): Promise<number | undefined>;
  /** Whether a coordinator of the cluster belongs to this host. */
  hasCoordinator(): boolean;
  /** Whether the operator has set no limit to the logs of containers. */
  logsAreUnbounded(): Promise<boolean>;
  /** Used share of the file system `path` lies on, 0 to 1; undefined when it is not on this host. */
  diskUse(path: string): Promise<number | undefined>;
  /** Ends a container's process at once and past its engine; one that is not there any more is left alone. */
  killProcess(container: Pick<ObservedContainer, 'id' | 'pid'>): Promise<void>;
  /** The time since this host was booted, which nobody can set and which passes while it is suspended. */
  uptime(): Uptime;
}

/** Only times of the same boot can be compared. */
export interface Uptime {
  readonly bootId: string;
  readonly sinceBootMs: number;
}
