/** Files of one line, under node_exporter's names. Formats: proc_loadavg(5), proc_sys_fs(5). Pure. */
import { numberIn } from '../kernel-text.ts';
import { type Family, single } from './family.ts';

export function loadFamilies(loadavg: string): Family[] {
  const [load1, load5, load15] = loadavg.split(' ').map(Number);
  return [
    ...single('node_load1', 'gauge', '1m load average.', load1),
    ...single('node_load5', 'gauge', '5m load average.', load5),
    ...single('node_load15', 'gauge', '15m load average.', load15),
  ];
}

/** `fileNr`: allocated, allocated but unused (always 0), maximum. */
export function openFileFamilies(fileNr: string): Family[] {
  const [allocated, , maximum] = fileNr.trim().split(/\s+/).map(Number);
  return [
    ...single('node_filefd_allocated', 'gauge', 'File handles in use.', allocated),
    ...single('node_filefd_maximum', 'gauge', 'File handles there may be.', maximum),
  ];
}

/** Undefined where the kernel tracks no connections. */
export function conntrackFamilies(count: string | undefined, limit: string | undefined): Family[] {
  return [
    ...single('node_nf_conntrack_entries', 'gauge', 'Connections tracked.', numberIn(count)),
    ...single('node_nf_conntrack_entries_limit', 'gauge', 'Connections that can be tracked.', numberIn(limit)),
  ];
}

export function entropyFamilies(available: string | undefined, poolSize: string | undefined): Family[] {
  return [
    ...single('node_entropy_available_bits', 'gauge', 'Bits of entropy there are.', numberIn(available)),
    ...single('node_entropy_pool_size_bits', 'gauge', 'Bits of entropy there may be.', numberIn(poolSize)),
  ];
}
