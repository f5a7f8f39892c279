/** Which UDP flows to forget when tasks leave a virtual address: conntrack would go on sending them there. Pure. */
import type { OverlayTable } from './overlay-table.ts';

type Services = OverlayTable['services'];

/** Arguments for `conntrack -D`, one list per virtual address and task that left it. */
export function staleVirtualFlows(before: Services, after: Services): string[][] {
  const now = new Map(after.map(({ vip, backends }) => [vip, new Set(backends)]));
  return before.flatMap(({ vip, backends }) => {
    const gone = backends.filter((address) => !now.get(vip)?.has(address));
    return gone.map((address) => ['-p', 'udp', '--orig-dst', vip, '--reply-src', address]);
  });
}
