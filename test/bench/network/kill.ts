/** From `docker kill` of a task to the last new connection that was sent to it. */
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../../../runtime/version.ts';
import type { LabHost } from '../../support/lab.ts';
import { EngineApi } from '../engine-api.ts';
import type { Figures } from '../report.ts';
import type { Spot } from './spot.ts';
import { NETWORK, type Stage } from './stage.ts';
import { PLIMSOLL } from './ways.ts';

const PORT = 9_090;
const TASK_PORT = 80;
const SERVICE = 'victims';
const BEFORE_MS = 500;
/** Longer than any packet waits to be sent again. */
const AFTER_MS = 1_500;

interface Caller {
  readonly name: string;
  readonly from: Spot;
  readonly address: string;
  readonly port: number;
  readonly goal: string;
}

/** Kills a task of a service again and again, and once without a leader; the tasks are not started again. */
export async function measureKills(stage: Stage, kills: number, figures: Figures): Promise<void> {
  const tasks = kills + 2;
  const calm = [
    '--restart-condition',
    'none',
    '--no-healthcheck',
    '--label',
    'plimsoll.readiness=period=1s http://:80/healthz',
  ];
  const places = ['--constraint', 'node.hostname!=h3', '--replicas', String(tasks * 2)];
  const reached = ['--network', NETWORK, '--publish', `${PORT}:${TASK_PORT}`];
  await stage.cluster.create(SERVICE, ...calm, ...places, ...reached, 'plimsoll/hello:1');
  await stage.cluster.settled(SERVICE, tasks * 2);
  const callers = await callersOf(stage);
  for (let kill = 1; kill <= kills; kill += 1) await killOne(stage, callers, '', figures);
  await stage.cluster.lab.command('kill', 'coordinator:h1');
  await killOne(stage, callers, ', no leader', figures);
}

async function callersOf(stage: Stage): Promise<readonly Caller[]> {
  const near = await stage.task('near-caller', 'h1', '--network', NETWORK);
  const far = await stage.task('far-caller', 'h3', '--network', NETWORK);
  const vip = await stage.virtualAddress(SERVICE);
  const client = await stage.outsideClient();
  const [own, other] = [stage.host('h1').address, stage.host('h3').address];
  return [
    { name: 'virtual address, its own host', from: near, address: vip, port: TASK_PORT, goal: '200' },
    { name: 'virtual address, another host', from: far, address: vip, port: TASK_PORT, goal: '500' },
    { name: 'mesh, its own host', from: client, address: own, port: PORT, goal: '200' },
    { name: 'mesh, another host', from: client, address: other, port: PORT, goal: '500' },
  ];
}

async function killOne(stage: Stage, callers: readonly Caller[], when: string, figures: Figures): Promise<void> {
  const host = stage.cluster.host('h1');
  const calls = await Promise.all(callers.map((caller) => begin(caller)));
  await delay(BEFORE_MS);
  const killedAtMs = await killContainer(host, await victim(stage));
  await delay(AFTER_MS);
  for (const [index, call] of calls.entries()) {
    const { name, goal } = callers[index] ?? { name: '', goal: '' };
    const lastMs = lastFailure(await call.end());
    figures.add(`kill to last connection: ${name}${when}, ms`, PLIMSOLL, Math.max(0, lastMs - killedAtMs), '', goal);
  }
}

async function victim(stage: Stage): Promise<string> {
  const found = (await stage.cluster.serviceContainers(SERVICE)).find(({ host }) => host === 'h1');
  if (!found) throw new Error(`No task of ${SERVICE} is left on h1`);
  return found.id;
}

/** When the call began: what the engine itself needs counts too. */
async function killContainer(host: LabHost, id: string): Promise<number> {
  const engine = new EngineApi(host.engineSocket);
  const beganAtMs = performance.timeOrigin + performance.now();
  await engine.call('POST', `/containers/${id}/kill?signal=KILL`);
  await engine.close();
  return beganAtMs;
}

async function begin({ from, address, port }: Caller): Promise<{ end(): Promise<string> }> {
  const program = join(packageRoot(), 'dist', 'test', 'bench', 'network', 'caller.js');
  const child = await from.start(process.execPath, program, address, String(port));
  const said = text(child.stdout);
  return {
    end: async () => {
      child.kill('SIGTERM');
      await once(child, 'close');
      return said;
    },
  };
}

/** When the last connection began that did not come about; 0 if all did. */
export function lastFailure(said: string): number {
  const lines = said.split('\n').map((line) => line.split(' '));
  return Math.max(0, ...lines.filter(([, word]) => word === 'failed').map(([atMs]) => Number(atMs)));
}
