/** One TCP connection between tasks of one network on two hosts, the same for every orchestrator. */
import type { Figures } from '../report.ts';
import { gigabitsPerSecond } from './load.ts';
import { HTTP_PORT, IPERF_PORT, NETWORK, type Stage } from './stage.ts';

export async function measureOverlay(
  stage: Stage,
  { rounds, seconds, column }: { readonly rounds: number; readonly seconds: number; readonly column: string },
  figures: Figures,
): Promise<void> {
  const to = await stage.task('overlay-to', 'h1', '--network', NETWORK);
  const from = await stage.task('overlay-from', 'h2', '--network', NETWORK);
  await stage.serve(to);
  const target = { address: to.address, httpPort: HTTP_PORT, iperfPort: IPERF_PORT };
  for (let round = 1; round <= rounds; round += 1) {
    const rate = await gigabitsPerSecond(from, target, seconds);
    figures.add('overlay between hosts: one connection, Gbit/s', column, rate, '', 'not below Swarm');
  }
}
