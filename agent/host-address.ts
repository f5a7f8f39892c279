/** Which IPv4 address of this host others reach it at: the one its packets towards the bus leave from. */
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';

/** The source address the kernel would use towards `host`; nothing is sent. The first outside address when unknown. */
export async function addressTowards(host: string): Promise<string> {
  const chosen = await sourceAddress(host).catch(() => undefined);
  return chosen !== undefined && !chosen.startsWith('127.') ? chosen : firstOutsideAddress();
}

function sourceAddress(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.connect(9, host, () => {
      const { address } = socket.address();
      socket.close();
      resolve(address);
    });
  });
}

function firstOutsideAddress(): string {
  const all = Object.entries(networkInterfaces()).filter(([name]) => !/^(docker|br-|veth)/.test(name));
  const outside = all
    .flatMap(([, addresses]) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return outside?.address ?? '127.0.0.1';
}
