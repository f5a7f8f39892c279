import { describe, expect, it } from 'vitest';
import { diskFamilies } from '../../../../../agent/metrics/host/disks.ts';
import { type Family, writeFamilies } from '../../../../../agent/metrics/host/family.ts';
import { buildFamilies, timeFamilies, unameFamilies } from '../../../../../agent/metrics/host/identity.ts';
import { memoryFamilies, vmstatFamilies } from '../../../../../agent/metrics/host/memory.ts';
import { networkDeviceFamilies } from '../../../../../agent/metrics/host/network-devices.ts';
import { pageSizeBytes, pageSizeIn } from '../../../../../agent/metrics/host/page-size.ts';
import { pressureFamilies } from '../../../../../agent/metrics/host/pressure.ts';
import { ProtocolStatistics, socketFamilies } from '../../../../../agent/metrics/host/protocols.ts';
import { schedulerFamilies, softnetFamilies } from '../../../../../agent/metrics/host/scheduler.ts';
import {
  conntrackFamilies,
  entropyFamilies,
  loadFamilies,
  openFileFamilies,
} from '../../../../../agent/metrics/host/small-files.ts';
import { textWritten } from '../../../../support/page-text.ts';

const protocols = new ProtocolStatistics();

/** `type name{labels} value` of every series. */
function seriesOf(families: readonly Family[]): string[] {
  return families.flatMap(({ name, type, samples }) =>
    samples.map(([labels, value]) => `${type} ${name}${labels === '' ? '' : `{${labels}}`} ${value}`),
  );
}

/** What the kernel wrote, and series that must come of it, with node_exporter's names, types and units. */
const cases: readonly { what: string; families: readonly Family[]; series: readonly string[] }[] = [
  {
    what: '/proc/meminfo',
    families: memoryFamilies('MemTotal:       48201496 kB\nActive(anon):    1234 kB\nHugePages_Total:       3\n'),
    series: [
      'gauge node_memory_MemTotal_bytes 49358331904',
      'gauge node_memory_Active_anon_bytes 1263616',
      'gauge node_memory_HugePages_Total 3',
    ],
  },
  {
    what: '/proc/vmstat, of which few are shown',
    families: vmstatFamilies(
      'nr_free_pages 5\npgpgin 11\npswpout 0\npgfault 7\npgmajfault 2\noom_kill 1\npgscan_kswapd 9\n',
    ),
    series: [
      'untyped node_vmstat_pgpgin 11',
      'untyped node_vmstat_pswpout 0',
      'untyped node_vmstat_pgfault 7',
      'untyped node_vmstat_pgmajfault 2',
      'untyped node_vmstat_oom_kill 1',
    ],
  },
  {
    what: '/proc/diskstats, without partitions and loop devices',
    families: diskFamilies(
      ' 259 0 nvme0n1 10 2 16 1500 20 3 24 2500 1 350 4000 5 6 7 80 9 100\n 259 1 nvme0n1p1 1 0 0 0 0 0 0 0 0 0 0\n   7 0 loop0 1 0 0 0 0 0 0 0 0 0 0\n',
    ),
    series: [
      'counter node_disk_reads_completed_total{device="nvme0n1"} 10',
      'counter node_disk_reads_merged_total{device="nvme0n1"} 2',
      'counter node_disk_read_bytes_total{device="nvme0n1"} 8192',
      'counter node_disk_read_time_seconds_total{device="nvme0n1"} 1.5',
      'counter node_disk_writes_completed_total{device="nvme0n1"} 20',
      'counter node_disk_writes_merged_total{device="nvme0n1"} 3',
      'counter node_disk_written_bytes_total{device="nvme0n1"} 12288',
      'counter node_disk_write_time_seconds_total{device="nvme0n1"} 2.5',
      'gauge node_disk_io_now{device="nvme0n1"} 1',
      'counter node_disk_io_time_seconds_total{device="nvme0n1"} 0.35',
      'counter node_disk_io_time_weighted_seconds_total{device="nvme0n1"} 4',
      'counter node_disk_discards_completed_total{device="nvme0n1"} 5',
      'counter node_disk_discards_merged_total{device="nvme0n1"} 6',
      'counter node_disk_discarded_sectors_total{device="nvme0n1"} 7',
      'counter node_disk_discard_time_seconds_total{device="nvme0n1"} 0.08',
      'counter node_disk_flush_requests_total{device="nvme0n1"} 9',
      'counter node_disk_flush_requests_time_seconds_total{device="nvme0n1"} 0.1',
    ],
  },
  {
    what: '/proc/diskstats of a kernel before 4.18, which knows no discards',
    families: diskFamilies('   8 0 sda 1 0 0 0 1 0 0 0 0 0 0\n').slice(9, 12),
    series: [
      'counter node_disk_io_time_seconds_total{device="sda"} 0',
      'counter node_disk_io_time_weighted_seconds_total{device="sda"} 0',
    ],
  },
  {
    what: '/proc/net/dev, aliases included',
    families: networkDeviceFamilies(
      'Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\neth0:1:21 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n',
    ).filter(({ name }) => /bytes|carrier|drop/.test(name)),
    series: [
      'counter node_network_receive_bytes_total{device="eth0"} 1',
      'counter node_network_receive_bytes_total{device="eth0:1"} 21',
      'counter node_network_receive_drop_total{device="eth0"} 4',
      'counter node_network_receive_drop_total{device="eth0:1"} 0',
      'counter node_network_transmit_bytes_total{device="eth0"} 9',
      'counter node_network_transmit_bytes_total{device="eth0:1"} 0',
      'counter node_network_transmit_drop_total{device="eth0"} 12',
      'counter node_network_transmit_drop_total{device="eth0:1"} 0',
      'counter node_network_transmit_carrier_total{device="eth0"} 15',
      'counter node_network_transmit_carrier_total{device="eth0:1"} 0',
    ],
  },
  {
    what: '/proc/net/snmp',
    families: protocols.families(
      'Tcp: RtoMin ActiveOpens CurrEstab RetransSegs\nTcp: 200 5 3 17\nUdp: InDatagrams OutDatagrams\nUdp: 8 9\n',
    ),
    series: [
      'untyped node_netstat_Tcp_ActiveOpens 5',
      'untyped node_netstat_Tcp_CurrEstab 3',
      'untyped node_netstat_Tcp_RetransSegs 17',
      'untyped node_netstat_Udp_InDatagrams 8',
      'untyped node_netstat_Udp_OutDatagrams 9',
    ],
  },
  {
    what: '/proc/net/snmp6',
    families: protocols.families6(
      'Ip6InReceives                   \t12\nIp6InOctets                     \t1350\nIcmp6InMsgs \t4\nUdpLite6InErrors \t1\n',
    ),
    series: [
      'untyped node_netstat_Ip6_InOctets 1350',
      'untyped node_netstat_Icmp6_InMsgs 4',
      'untyped node_netstat_UdpLite6_InErrors 1',
    ],
  },
  {
    what: '/proc/net/sockstat',
    families: socketFamilies(
      'sockets: used 281\nTCP: inuse 4 orphan 0 tw 6 alloc 7 mem 2\nFRAG: inuse 0 memory 0\n',
      4096,
    ),
    series: [
      'gauge node_sockstat_sockets_used 281',
      'gauge node_sockstat_TCP_inuse 4',
      'gauge node_sockstat_TCP_orphan 0',
      'gauge node_sockstat_TCP_tw 6',
      'gauge node_sockstat_TCP_alloc 7',
      'gauge node_sockstat_TCP_mem 2',
      'gauge node_sockstat_TCP_mem_bytes 8192',
      'gauge node_sockstat_FRAG_inuse 0',
      'gauge node_sockstat_FRAG_memory 0',
    ],
  },
  {
    what: '/proc/pressure/memory',
    families: pressureFamilies(
      'memory',
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n',
    ),
    series: [
      'counter node_pressure_memory_waiting_seconds_total 2.5',
      'counter node_pressure_memory_stalled_seconds_total 1.5',
    ],
  },
  {
    what: '/proc/pressure/cpu, whose "full" means nothing',
    families: pressureFamilies(
      'cpu',
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\nfull avg10=0 avg60=0 avg300=0 total=9\n',
    ),
    series: ['counter node_pressure_cpu_waiting_seconds_total 1'],
  },
  {
    what: '/proc/schedstat',
    families: schedulerFamilies('version 15\ntimestamp 1\ncpu0 1 0 2 3 4 5 7500000000 500000000 42\ndomain0 3 1 2\n'),
    series: [
      'counter node_schedstat_running_seconds_total{cpu="0"} 7.5',
      'counter node_schedstat_waiting_seconds_total{cpu="0"} 0.5',
      'counter node_schedstat_timeslices_total{cpu="0"} 42',
    ],
  },
  {
    what: '/proc/net/softnet_stat',
    families: softnetFamilies('000000ff 00000001 00000010 00000000\n00000002 00000000 00000000 00000000\n'),
    series: [
      'counter node_softnet_processed_total{cpu="0"} 255',
      'counter node_softnet_processed_total{cpu="1"} 2',
      'counter node_softnet_dropped_total{cpu="0"} 1',
      'counter node_softnet_dropped_total{cpu="1"} 0',
      'counter node_softnet_times_squeezed_total{cpu="0"} 16',
      'counter node_softnet_times_squeezed_total{cpu="1"} 0',
    ],
  },
  {
    what: '/proc/loadavg',
    families: loadFamilies('0.52 1.25 2.00 3/512 4711\n'),
    series: ['gauge node_load1 0.52', 'gauge node_load5 1.25', 'gauge node_load15 2'],
  },
  {
    what: '/proc/sys/fs/file-nr',
    families: openFileFamilies('1856\t0\t9223372036854775807\n'),
    series: ['gauge node_filefd_allocated 1856', 'gauge node_filefd_maximum 9223372036854776000'],
  },
  {
    what: "conntrack's files",
    families: conntrackFamilies('93\n', '262144\n'),
    series: ['gauge node_nf_conntrack_entries 93', 'gauge node_nf_conntrack_entries_limit 262144'],
  },
  { what: 'a kernel that tracks no connections', families: conntrackFamilies(undefined, undefined), series: [] },
  {
    what: "the random number generator's files",
    families: entropyFamilies('256\n', '256\n'),
    series: ['gauge node_entropy_available_bits 256', 'gauge node_entropy_pool_size_bits 256'],
  },
  {
    what: 'names and time',
    families: [
      ...unameFamilies({
        sysname: 'Linux',
        release: '6.1',
        version: '#1',
        machine: 'x86_64',
        nodename: 'h1',
        domainname: '(none)',
      }),
      ...buildFamilies('0.1.0'),
      ...timeFamilies(1_800_000_000_500),
    ],
    series: [
      'gauge node_uname_info{sysname="Linux",release="6.1",version="#1",machine="x86_64",nodename="h1",domainname="(none)"} 1',
      'gauge node_exporter_build_info{version="0.1.0"} 1',
      'gauge node_time_seconds 1800000000.5',
    ],
  },
];

describe("the kernel's texts under node_exporter's names", () => {
  it.each(cases)('$what', ({ families, series }) => {
    expect(seriesOf(families)).toEqual(series);
  });

  it('escapes label values and leaves families without series out', async () => {
    const families = [
      ...unameFamilies({ sysname: 'a"b\\c\nd', release: '', version: '', machine: '', nodename: '', domainname: '' }),
    ];
    const none: Family = { name: 'node_none', type: 'gauge', help: 'None.', samples: [] };
    const text = await textWritten((writer, turns) => writeFamilies(writer, [...families, none], turns));
    expect(text).toContain('sysname="a\\"b\\\\c\\nd"');
    expect(text).not.toContain('node_none');
  });
});

describe('pageSizeIn()', () => {
  it('finds AT_PAGESZ among the pairs, and takes 4096 bytes where it is missing', () => {
    const auxv = Buffer.alloc(32);
    auxv.writeBigUInt64LE(33n, 0);
    auxv.writeBigUInt64LE(6n, 16);
    auxv.writeBigUInt64LE(65_536n, 24);
    expect(pageSizeIn(auxv, 'LE')).toBe(65_536);
    expect(pageSizeIn(auxv.subarray(0, 16), 'LE')).toBe(4096);
  });

  it('agrees with this host', () => {
    expect([4096, 16_384, 65_536]).toContain(pageSizeBytes());
  });
});
