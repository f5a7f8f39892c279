/** Whether somebody accepts TCP connections at an address. */
import { connect } from 'node:net';
import type { ProbeReply, ProbeRequest } from '../model/messages.ts';
import { messageOf } from './errors.ts';

/** One attempt to open a TCP connection. */
export type TcpProbe = (request: ProbeRequest) => Promise<ProbeReply>;

/** Opens a connection and closes it again. Throws for what is no address or no port, before anything is sent. */
export const probeTcp: TcpProbe = ({ address, port, timeoutMs }) =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const answer = (reply: ProbeReply) => {
      socket.destroy();
      resolve(reply);
    };
    const giveUp = () => answer({ reachable: false, error: `no answer within ${timeoutMs} ms` });
    socket.once('connect', () => answer({ reachable: true }));
    socket.once('error', (error) => answer({ reachable: false, error: messageOf(error) }));
    // A busy process finds both the timer and the connection due at once, and sees to timers first.
    socket.setTimeout(timeoutMs, () => setImmediate(giveUp));
  });
