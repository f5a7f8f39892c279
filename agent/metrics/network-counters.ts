/** A container's traffic, from `/proc/<pid>/net/dev` of a process in its network namespace. Pure. */
import type { ContainerMetricName, Put } from './metric-catalogue.ts';

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
/** The devices cAdvisor leaves out: loopback, and the host's ends of its containers' cables. */
const ignoredDevice = /^(lo|veth|docker|nerdctl)/;

export function readNetwork(netDev: string | undefined, put: Put): void {
  for (const line of netDev?.split('\n') ?? []) {
    const [device = '', counters] = line.split(':');
    const name = device.trim();
    if (counters === undefined || ignoredDevice.test(name)) continue;
    const numbers = counters.trim().split(/ +/);
    const labels = `interface="${name}"`;
    for (const [metric, column] of columns) put(metric, Number(numbers[column]), labels);
  }
}
