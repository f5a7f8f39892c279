/** A container's traffic, from `/proc/<pid>/net/dev` of a process in its network namespace. Pure. */
import { labelText } from '../../runtime/label-text.ts';
import { networkDevices } from './kernel-text.ts';
import type { ContainerMetricName, Put } from './metric-catalogue.ts';

/** Position of each counter on a line of `net/dev`, after the name. */
const columns: readonly (readonly [ContainerMetricName, number])[] = [
  ['container_network_receive_bytes_total', 0],
  ['container_network_receive_packets_total', 1],
  ['container_network_receive_errors_total', 2],
  ['container_network_receive_packets_dropped_total', 3],
  ['container_network_transmit_bytes_total', 8],
  ['container_network_transmit_packets_total', 9],
  ['container_network_transmit_errors_total', 10],
  ['container_network_transmit_packets_dropped_total', 11],
];
/** The devices cAdvisor leaves out: loopback, and the host's ends of its containers' cables. */
const ignoredDevice = /^(lo|veth|docker|nerdctl)/;

export function readNetwork(netDev: string | undefined, put: Put): void {
  for (const { device, counters } of networkDevices(netDev)) {
    if (ignoredDevice.test(device)) continue;
    // Whoever is root in a container names its devices, and may do so with quotation marks.
    const labels = labelText({ interface: device });
    for (const [metric, column] of columns) put(metric, counters[column], labels);
  }
}
