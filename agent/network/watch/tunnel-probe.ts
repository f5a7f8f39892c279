/** Whether a datagram comes through the tunnel to another node, and word of it back: the way UDP 4789 takes. */
import { createSocket } from 'node:dgram';
import { TUNNEL_PROBE_PORT } from '../overlay/overlay-names.ts';

export interface TunnelProbeTarget {
  /** An address of this host's on a network of the cluster: what is answered comes back through the tunnel, too. */
  readonly from: string;
  /** One of the other node's. */
  readonly to: string;
  readonly bytes: number;
}

/** Undefined when this host itself could not send, which says nothing of the way. Never rejects. */
export type TunnelProbe = (target: TunnelProbeTarget) => Promise<boolean | undefined>;

const PATIENCE_MS = 1_000;
const TRIES = 2;

export const probeTunnel: TunnelProbe = async (target) => {
  let answer: boolean | undefined;
  for (let tried = 0; tried < TRIES && answer !== true; tried += 1) answer = await throwOnce(target);
  return answer;
};

function throwOnce({ from, to, bytes }: TunnelProbeTarget): Promise<boolean | undefined> {
  const socket = createSocket('udp4');
  return new Promise<boolean | undefined>((resolve) => {
    const late = setTimeout(() => resolve(false), PATIENCE_MS);
    const over = (error: NodeJS.ErrnoException | null) => {
      if (!error) return;
      clearTimeout(late);
      resolve(error.code === 'ECONNREFUSED' ? true : undefined);
    };
    socket.on('error', over);
    socket.bind({ address: from, port: 0 }, () => {
      socket.connect(TUNNEL_PROBE_PORT, to, () => socket.send(Buffer.alloc(bytes), over));
    });
  }).finally(() => socket.close());
}
