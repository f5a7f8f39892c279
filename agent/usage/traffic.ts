/** What a container received and sent, from `/proc/<pid>/net/dev` of a process in its network. Pure. */
import { networkDevices } from '../metrics/kernel-text.ts';
import type { ContainerSample } from './usage-sample.ts';

/** Position of the bytes on a line of `net/dev`, after the name. */
const [RECEIVED, SENT] = [0, 8];

/** Over all devices but loopback; undefined when there is no such file. */
export function readTraffic(netDev: string | undefined): ContainerSample['traffic'] {
  if (netDev === undefined) return undefined;
  let [receivedBytes, sentBytes] = [0, 0];
  for (const { device, counters } of networkDevices(netDev)) {
    if (device === 'lo') continue;
    receivedBytes += counters[RECEIVED] ?? 0;
    sentBytes += counters[SENT] ?? 0;
  }
  return { receivedBytes, sentBytes };
}
