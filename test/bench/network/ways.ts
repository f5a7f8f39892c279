/**
 * Ways to one task, each beside what it is compared with: straight to the task, or the same made by hand. By turns, so that a
 * machine that gets slower does so for both.
 */

import type { Figures } from '../report.ts';
import { median } from '../statistics.ts';
import { HAND_PORT, type HandMade, openStraightWay, openWayThroughOther } from './by-hand.ts';
import { connectionsPerSecond, gigabitsPerSecond, requestsPerSecond, type Target } from './load.ts';
import type { Spot } from './spot.ts';
import { HTTP_PORT, IPERF_PORT, NETWORK, type Stage } from './stage.ts';

const MESH_HTTP_PORT = 9_080;
const MESH_IPERF_PORT = 9_081;

export const PLIMSOLL = 'Plimsoll';
const REFERENCE = 'straight, or by hand';
const SHARE = 'Plimsoll, %';

export interface Comparison {
  readonly name: string;
  readonly from: Spot;
  readonly reference: Target;
  readonly ours: Target;
  /** In words. */
  readonly goal: string;
}

const measures = [
  { name: 'requests/s', measure: requestsPerSecond },
  { name: 'new connections/s', measure: connectionsPerSecond },
  { name: 'one connection, Gbit/s', measure: gigabitsPerSecond },
] as const;

/** Makes the tasks and all ways to them. */
export async function makeWays(stage: Stage): Promise<readonly Comparison[]> {
  const ports = [`${MESH_HTTP_PORT}:${HTTP_PORT}`, `${MESH_IPERF_PORT}:${IPERF_PORT}`];
  const member = await stage.task('member', 'h1', '--network', NETWORK);
  const near = await stage.task('near', 'h1', '--network', NETWORK);
  const published = await stage.task('published', 'h1', ...ports.flatMap((port) => ['--publish', port]));
  for (const server of [member, published]) await stage.serve(server);
  const client = await stage.outsideClient();
  const hosts: HandMade = { own: stage.host('h1'), other: stage.host('h2'), task: published, client };
  await openStraightWay(hosts);
  await openWayThroughOther(hosts, HTTP_PORT, IPERF_PORT);
  const mesh = (host: Spot) => at(host.address, MESH_HTTP_PORT, MESH_IPERF_PORT);
  const vip = at(await stage.virtualAddress('member'));
  const byHand = at(hosts.other.address, HAND_PORT, HAND_PORT + 1);
  return [
    { name: 'virtual address', from: near, reference: at(member.address), ours: vip, goal: '95 %' },
    { name: 'mesh, own node', from: client, reference: at(published.address), ours: mesh(hosts.own), goal: '95 %' },
    { name: 'mesh, another node', from: client, reference: byHand, ours: mesh(hosts.other), goal: '90 %' },
  ];
}

/** All comparisons, `rounds` times by turns; in every second round the other one begins. */
export async function compareWays(
  ways: readonly Comparison[],
  rounds: number,
  seconds: number,
  figures: Figures,
): Promise<void> {
  for (const { name, from, reference, ours, goal } of ways) {
    for (const { name: what, measure } of measures) {
      const samples = { reference: [] as number[], ours: [] as number[] };
      for (let round = 1; round <= rounds; round += 1) {
        const turns = [['reference', reference] as const, ['ours', ours] as const];
        for (const [side, target] of round % 2 === 0 ? turns.toReversed() : turns) {
          samples[side].push(await measure(from, target, seconds));
        }
      }
      const row = `${name}: ${what}`;
      for (const value of samples.reference) figures.add(row, REFERENCE, value, '', goal);
      for (const value of samples.ours) figures.add(row, PLIMSOLL, value, '', goal);
      figures.add(row, SHARE, (100 * median(samples.ours)) / median(samples.reference), '', goal);
    }
  }
}

function at(address: string, httpPort = HTTP_PORT, iperfPort = IPERF_PORT): Target {
  return { address, httpPort, iperfPort };
}
