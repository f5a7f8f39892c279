/** /proc/net/dev under node_exporter's names. Format: the kernel's net-procfs.c. Pure. */
import { columnFamilies, type Family, labelText } from './family.ts';

/** In the order of the line. */
const statistics = [
  ...['bytes', 'packets', 'errs', 'drop', 'fifo', 'frame', 'compressed', 'multicast'].map((name) => `receive_${name}`),
  ...['bytes', 'packets', 'errs', 'drop', 'fifo', 'colls', 'carrier', 'compressed'].map((name) => `transmit_${name}`),
];

const columns = statistics.map((statistic) => ({
  name: `node_network_${statistic}_total`,
  type: 'counter' as const,
  help: `Network device statistic ${statistic}.`,
  unitsPer: 1,
}));

export function networkDeviceFamilies(netDev: string): Family[] {
  const rows = netDev.split('\n').flatMap((line) => {
    // The last colon: an alias such as eth0:1 has one in its name.
    const colon = line.lastIndexOf(':');
    if (colon === -1) return [];
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    return [{ labels: labelText({ device: line.slice(0, colon).trim() }), numbers }];
  });
  return columnFamilies(columns, rows);
}
