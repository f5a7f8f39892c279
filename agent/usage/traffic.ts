/** What a container received and sent, from `/proc/<pid>/net/dev` of a process in its network. Pure. */
import type { ContainerSample } from './usage-sample.ts';

/** A device, what it received (bytes and seven more numbers), what it sent. */
const LINE = /^ *([^ :]+): *(\d+)(?: +\d+){7} +(\d+)/gm;

/** Over all devices but loopback; undefined when there is no such file. */
export function readTraffic(netDev: string | undefined): ContainerSample['traffic'] {
  if (netDev === undefined) return undefined;
  let [receivedBytes, sentBytes] = [0, 0];
  for (const [, device, received, sent] of netDev.matchAll(LINE)) {
    if (device === 'lo') continue;
    receivedBytes += Number(received);
    sentBytes += Number(sent);
  }
  return { receivedBytes, sentBytes };
}
