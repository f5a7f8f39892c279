/** A container's traffic, from `/proc/<pid>/net/dev` of a process in its network namespace. Pure. */
import { type ContainerMetricName, presentSamples, type Sample } from './metric-catalogue.ts';

/** Position of each counter on a line of `net/dev`. */
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
/** The devices cAdvisor leaves out: loopback, and those of other containers a host-network container sees. */
const ignoredDevice = /^(lo|veth|docker|nerdctl)/;

export function readNetworkCounters(netDev: string | undefined): Sample[] {
  return (netDev ?? '').split('\n').flatMap((line) => {
    const [device = '', counters] = line.split(':').map((part) => part.trim());
    if (counters === undefined || ignoredDevice.test(device)) return [];
    const numbers = counters.split(/\s+/).map(Number);
    return presentSamples(columns.map(([name, column]) => [name, numbers[column], { interface: device }]));
  });
}
