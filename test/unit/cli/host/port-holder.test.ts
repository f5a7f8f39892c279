import { expect, test } from 'vitest';
import { listeningInodes } from '../../../../cli/host/port-holder.ts';

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const socket = (local: string, state: string, inode: string) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0`;

test('listeningInodes() finds who listens on a port, on whatever address, and no connections of it', () => {
  const table = [
    head,
    socket('0100007F:2387', '0A', '101'),
    socket('00000000:2387', '0A', '102'),
    socket('0100007F:2387', '01', '103'),
    socket('0100007F:2388', '0A', '104'),
    '',
  ].join('\n');

  expect(listeningInodes(table, 9095)).toEqual(['101', '102']);
  expect(listeningInodes('', 9095)).toEqual([]);
});
