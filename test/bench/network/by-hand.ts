/**
 * The same ways made by hand, as little as the kernel needs for them: what the routing mesh is compared with. A route and an
 * accepted port for the task's own node; a translation, a tunnel and a route back for another node.
 */
import type { Spot } from './spot.ts';

export const HAND_PORT = 9_999;
const TUNNEL_PORT = 4_790;

export interface HandMade {
  /** The task's node, and the node that is asked. */
  readonly own: Spot;
  readonly other: Spot;
  readonly task: Spot;
  readonly client: Spot;
}

/** Straight to the task, which hangs on its engine's bridge: the client learns the way, Docker lets it pass. */
export async function openStraightWay({ own, task, client }: HandMade): Promise<void> {
  await client.shell(`ip route add ${task.address}/32 via ${own.address}`);
  await own.shell(
    `iptables -w -I DOCKER-USER -d ${task.address} -j ACCEPT; iptables -w -I DOCKER-USER -s ${task.address} -j ACCEPT`,
  );
}

/** Through another node: it translates HAND_PORT and sends on through a tunnel, by which the answers come back. */
export async function openWayThroughOther(parts: HandMade, port: number, iperfPort: number): Promise<void> {
  const { own, other, task, client } = parts;
  for (const [here, there, address] of [
    [own, other, '192.0.2.1'],
    [other, own, '192.0.2.2'],
  ] as const) {
    await here.shell(`
      ip link add hand0 type vxlan id 77 dstport ${TUNNEL_PORT} local ${here.address} remote ${there.address} nolearning
      ip addr add ${address}/30 dev hand0; ip link set hand0 mtu 1450 up
      echo 2 > /proc/sys/net/ipv4/conf/hand0/rp_filter; echo 2 > /proc/sys/net/ipv4/conf/eth0/rp_filter
      iptables -w -I DOCKER-USER -i hand0 -j ACCEPT; iptables -w -I DOCKER-USER -o hand0 -j ACCEPT
      iptables -w -t mangle -A FORWARD -o hand0 -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`);
  }
  await own.shell(`
    ip rule add from ${task.address} to ${client.address} iif docker0 fwmark 0x7/0x7 lookup 77
    ip route add default via 192.0.2.2 dev hand0 table 77
    iptables -w -t mangle -A PREROUTING -i hand0 -j CONNMARK --set-xmark 0x7/0x7
    iptables -w -t mangle -A PREROUTING -i docker0 -j CONNMARK --restore-mark --nfmask 0x7 --ctmask 0x7
    iptables -w -t mangle -A POSTROUTING -o hand0 -j MARK --set-xmark 0/0x7`);
  await other.shell(`
    ip route add ${task.address}/32 via 192.0.2.1 dev hand0
    iptables -w -t nat -I PREROUTING -d ${other.address} -p tcp --dport ${HAND_PORT} -j DNAT --to ${task.address}:${port}
    iptables -w -t nat -I PREROUTING -d ${other.address} -p tcp --dport ${HAND_PORT + 1} -j DNAT --to ${task.address}:${iperfPort}`);
}
