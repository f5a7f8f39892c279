/** /proc/meminfo and /proc/vmstat under node_exporter's names. Formats: proc_meminfo(5), proc_vmstat(5). Pure. */
import { type Family, single } from './family.ts';

const BYTES_PER_KB = 1024;

/** Every line of the file: `Active(anon):  12 kB` is `node_memory_Active_anon_bytes`. */
export function memoryFamilies(meminfo: string): Family[] {
  return meminfo.split('\n').flatMap((line) => {
    const [, field, number, unit] = /^([^:]+):\s+(\d+)( kB)?$/.exec(line) ?? [];
    if (field === undefined) return [];
    const name = field.replace(/\((.*)\)/, '_$1');
    return unit === undefined
      ? single(`node_memory_${name}`, 'gauge', `Memory information field ${name}.`, Number(number))
      : single(
          `node_memory_${name}_bytes`,
          'gauge',
          `Memory information field ${name}_bytes.`,
          Number(number) * BYTES_PER_KB,
        );
  });
}

/** The fields of /proc/vmstat that node_exporter shows unless told otherwise. */
const shownVmstat = /^(oom_kill|pgpg|pswp|pg.*fault)/;

export function vmstatFamilies(vmstat: string): Family[] {
  return vmstat.split('\n').flatMap((line) => {
    if (!shownVmstat.test(line)) return [];
    const [field = '', number] = line.split(' ');
    return single(`node_vmstat_${field}`, 'untyped', `/proc/vmstat field ${field}.`, Number(number));
  });
}
