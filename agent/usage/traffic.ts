/** What a container received and sent, from `/proc/<pid>/net/dev` of a process in its network. */
import type { Clock } from '../../runtime/clock.ts';
import { networkDevices } from '../metrics/kernel-text.ts';
import type { ContainerSample, TrafficSample } from './usage-sample.ts';

/** Position of the bytes on a line of `net/dev`, after the name. */
const [RECEIVED, SENT] = [0, 8];

/** Over all devices but loopback; undefined when there is no such file. */
export function trafficIn(netDev: string | undefined): Omit<TrafficSample, 'atMs'> | undefined {
  if (netDev === undefined) return undefined;
  let [receivedBytes, sentBytes] = [0, 0];
  for (const { device, counters } of networkDevices(netDev)) {
    if (device === 'lo') continue;
    receivedBytes += counters[RECEIVED] ?? 0;
    sentBytes += counters[SENT] ?? 0;
  }
  return { receivedBytes, sentBytes };
}

/** That file is the dearest one there is of a container: it has to be opened each time. */
const READ_EVERY_MS = 10_000;

type Traffic = Pick<ContainerSample, 'traffic' | 'earlierTraffic'>;

/** Remembers the last two readings of each container, between which its rates are. */
export class TrafficMeter {
  private readonly clock: Clock;
  private readonly known = new Map<string, Traffic>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** `netDev` is called when it is time to read again: for a container not seen before twice, one sample after the other. */
  read(containerId: string, netDev: () => string | undefined): Traffic {
    const known = this.known.get(containerId);
    const atMs = this.clock.elapsedMs();
    if (known?.traffic && known.earlierTraffic && atMs - known.traffic.atMs < READ_EVERY_MS) return known;
    const counters = trafficIn(netDev());
    const traffic = counters && { atMs, ...counters };
    const read = { traffic, earlierTraffic: known?.traffic };
    this.known.set(containerId, read);
    return read;
  }

  forget(containerId: string): void {
    this.known.delete(containerId);
  }
}
