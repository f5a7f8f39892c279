/** /proc/net/{netstat,snmp,snmp6,sockstat,sockstat6} under node_exporter's names. Format: proc_net(5). */
import { type Family, single } from './family.ts';

/** The fields node_exporter shows unless told otherwise. */
const shownStatistic =
  /^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$/;

interface ShownField {
  readonly column: number;
  readonly name: string;
  readonly help: string;
}

/** Remembers which of the kernel's 400 statistics are shown: to find out costs more than to read them. */
export class ProtocolStatistics {
  private readonly shownByNames = new Map<string, readonly ShownField[]>();

  /** Pairs of lines, the first with the names: `Tcp: ActiveOpens ...`, `Tcp: 17 ...`. */
  families(text: string): Family[] {
    const lines = text.split('\n');
    return lines.flatMap((names, index) => {
      const shown = index % 2 === 0 ? this.shownOf(names, namedFields) : [];
      if (shown.length === 0) return [];
      const numbers = (lines[index + 1] ?? '').split(' ');
      return shown.flatMap(({ column, name, help }) => single(name, 'untyped', help, Number(numbers[column])));
    });
  }

  /** Lines of `Ip6InOctets  17`; none where IPv6 is off. */
  families6(text = ''): Family[] {
    return text.split('\n').flatMap((line) => {
      const shown = this.shownOf(line.slice(0, line.search(/\s/)), field6);
      return shown.flatMap(({ name, help }) => single(name, 'untyped', help, Number(/\d+$/.exec(line)?.[0])));
    });
  }

  private shownOf(names: string, parse: (names: string) => readonly string[]): readonly ShownField[] {
    const known = this.shownByNames.get(names);
    if (known) return known;
    const shown = parse(names).flatMap((key, column) => {
      if (!shownStatistic.test(key)) return [];
      return [{ column, name: `node_netstat_${key}`, help: `Statistic ${key.replace('_', '')}.` }];
    });
    this.shownByNames.set(names, shown);
    return shown;
  }
}

/** `Tcp: ActiveOpens` -> `Tcp_`, `Tcp_ActiveOpens`: as many as the line has columns. */
function namedFields(names: string): readonly string[] {
  const [protocol = '', ...fields] = names.split(' ');
  return ['', ...fields].map((field) => `${protocol.slice(0, -1)}_${field}`);
}

/** `Ip6InOctets` -> `Ip6_InOctets`. */
function field6(name: string): readonly string[] {
  return [name.replace(/^([^6]*6)/, '$1_')];
}

/** Lines of `TCP: inuse 4 orphan 0 ... mem 1`; `pageBytes` turns `mem` into bytes. */
export function socketFamilies(text: string | undefined, pageBytes: number): Family[] {
  return (text ?? '').split('\n').flatMap((line) => {
    const [protocol = '', ...pairs] = line.split(/:? /);
    return Array.from({ length: Math.floor(pairs.length / 2) }, (_, pair) => {
      const [state = '', number] = pairs.slice(pair * 2);
      const count = socketFamily(protocol, state, Number(number));
      return state === 'mem' ? [...count, ...socketFamily(protocol, 'mem_bytes', Number(number) * pageBytes)] : count;
    }).flat();
  });
}

function socketFamily(protocol: string, state: string, value: number): Family[] {
  return single(
    `node_sockstat_${protocol}_${state}`,
    'gauge',
    `Number of ${protocol} sockets in state ${state}.`,
    value,
  );
}
