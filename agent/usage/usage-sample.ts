/** What is read at one moment of the host and of the cluster's containers on it, and where it comes from. */
import type { ConnectionSample } from '../network/traffic/traffic.ts';

/** Counters and amounts of one container. */
export interface ContainerSample {
  /** When it was read, on the elapsed clock. */
  readonly atMs: number;
  /** Processor time since the container was started, over all cores. */
  readonly cpuSeconds: number;
  /** Working set. */
  readonly memoryBytes: number;
  /** 0 for none. */
  readonly memoryLimitBytes: number;
  /** As read last, perhaps some samples ago; absent for a container without a network of its own. */
  readonly traffic: TrafficSample | undefined;
  /** As read the time before. */
  readonly earlierTraffic: TrafficSample | undefined;
}

/** What a container received and sent since its network was made, loopback left out. */
export interface TrafficSample {
  readonly atMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface HostSample {
  readonly atMs: number;
  /** Processor time of everything on the host since it was booted. */
  readonly cpuSeconds: number;
  readonly cpuCores: number;
  /** What is not available to new programs. */
  readonly memoryBytes: number;
  readonly memoryTotalBytes: number;
  readonly load1: number;
}

/** A task's container, as far as it is measured. */
export interface MeasuredTask {
  readonly taskId: string;
  readonly serviceId: string;
  readonly cpuLimitCores: number | undefined;
  readonly containerId: string;
}

export interface UsageSample {
  readonly host: HostSample;
  readonly disk: { readonly bytes: number; readonly totalBytes: number } | undefined;
  readonly tasks: readonly (MeasuredTask & { readonly sample: ContainerSample })[];
  /** Absent where connections are not counted, or could not be read. */
  readonly connections?: ConnectionSample | undefined;
}
