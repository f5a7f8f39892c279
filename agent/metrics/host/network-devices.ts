/** /proc/net/dev under node_exporter's names. Format: the kernel's net-procfs.c. Pure. */
import { labelText } from '../../../runtime/label-text.ts';
import { networkDevices } from '../kernel-text.ts';
import { columnFamilies, type Family } from './family.ts';

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
  const rows = networkDevices(netDev).map(({ device, counters }) => {
    return { labels: labelText({ device }), numbers: counters };
  });
  return columnFamilies(columns, rows);
}
