/** What a way through the network carries, measured by wrk and iperf3 as Debian has them. */
import { z } from 'zod';
import type { Spot } from './spot.ts';

/** More at once only queue where client and server share two cores. */
const CONNECTIONS = 16;

const IperfAnswer = z.object({ end: z.object({ sum_received: z.object({ bits_per_second: z.number() }) }) });

export interface Target {
  readonly address: string;
  readonly httpPort: number;
  readonly iperfPort: number;
}

/** Requests a second over connections that stay open. */
export function requestsPerSecond(from: Spot, target: Target, seconds: number): Promise<number> {
  return wrk(from, target, seconds);
}

/** Connections a second that are opened, asked once and closed. */
export function connectionsPerSecond(from: Spot, target: Target, seconds: number): Promise<number> {
  return wrk(from, target, seconds, '--header', 'Connection: close');
}

/** What one TCP connection carries, in 10^9 bits a second. */
export async function gigabitsPerSecond(from: Spot, { address, iperfPort }: Target, seconds: number): Promise<number> {
  const words = ['--client', address, '--port', String(iperfPort), '--time', String(seconds), '--json'];
  const answer = IperfAnswer.parse(JSON.parse(await from.run('iperf3', ...words)));
  return answer.end.sum_received.bits_per_second / 1e9;
}

async function wrk(from: Spot, { address, httpPort }: Target, seconds: number, ...more: string[]): Promise<number> {
  const shape = ['--threads', '1', '--connections', String(CONNECTIONS), '--duration', `${seconds}s`];
  const said = await from.run('wrk', ...shape, ...more, `http://${address}:${httpPort}/`);
  return rateOf(said);
}

/** Requests a second that wrk tells of; throws where some got no answer, for those would be the quick ones. */
export function rateOf(said: string): number {
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(said);
  const [, connect = '0', , , timeout = '0'] = errors ?? [];
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(said)?.[1];
  if (rate === undefined || Number(rate) === 0 || Number(connect) + Number(timeout) > 0)
    throw new Error(`wrk did not get its answers: ${said}`);
  return Number(rate);
}
