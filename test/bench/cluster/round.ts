/** One round: every contestant, one after the other, on hosts that have just booted with nothing else on them. */
import { describeLab, type Lab, type LabHost, labCommandAt } from '../../support/lab.ts';
import { benchPlace } from '../bench-place.ts';
import { EngineApi } from '../engine-api.ts';
import type { Figures } from '../report.ts';
import { BareEngines } from './bare.ts';
import { runningContainers } from './hosts.ts';
import { Orchestrator } from './orchestrator.ts';

export type Contestant = 'bare' | 'plimsoll' | 'swarm';

const MANY = 30;
const FEW = 12;
/** How many calls at a time an engine is best served with differs by machine: the best counts. */
const CONCURRENCIES = [1, 2, 4] as const;
const AT_ONCE = 4;

/** Names of the figures, the same for every contestant. */
const names = {
  deploy: `deploy ${MANY} replicas`,
  scaleUp: `scale ${MANY} to ${MANY * 2}`,
  scaleDown: `scale ${MANY * 2} to ${FEW}`,
  crash: 'crash to running again',
  updateByOne: `update ${FEW} replicas, start-first, 1 at a time`,
  updateByFour: `update ${FEW} replicas, start-first, 4 at a time`,
  cutFew: `host cut off, until ${FEW} replicas run`,
  cutMany: `host cut off, until ${MANY} replicas run`,
} as const;

type Add = (name: string, seconds: number) => void;

/** The lab with only this contestant's orchestrator running. */
export async function switchTo(contestant: Contestant): Promise<Lab> {
  const command = labCommandAt(benchPlace());
  await command('switch', '--engine', contestant === 'bare' ? 'none' : contestant);
  return describeLab(await command('env'), command);
}

/** HostConfig of a container the orchestrator makes. */
export async function hostConfigOf(lab: Lab): Promise<unknown> {
  const orchestrator = new Orchestrator(lab);
  await orchestrator.deploy(lab.hosts.length);
  const engine = new EngineApi(hostAt(lab, 0).engineSocket);
  const [first] = await runningContainers(engine);
  const { HostConfig } = await engine.call<{ HostConfig: unknown }>('GET', `/containers/${first?.Id}/json`);
  await engine.close();
  await orchestrator.remove();
  await orchestrator.close();
  return HostConfig;
}

export async function measure(contestant: Contestant, hostConfig: unknown, figures: Figures): Promise<void> {
  const lab = await switchTo(contestant);
  const add: Add = (name, seconds) => figures.add(name, contestant, seconds, 's');
  if (contestant === 'bare') await measureBare(new BareEngines(lab.hosts, hostConfig), lab.hosts.length, add);
  else await measureOrchestrator(new Orchestrator(lab), lab, add);
}

async function measureOrchestrator(orchestrator: Orchestrator, lab: Lab, add: Add): Promise<void> {
  add(names.deploy, await orchestrator.deploy(MANY));
  add(names.scaleUp, await orchestrator.scaleUp(MANY * 2));
  add(names.scaleDown, await orchestrator.scaleDown(FEW));
  add(names.crash, await orchestrator.crash(hostAt(lab, 0), FEW));
  add(names.updateByOne, await orchestrator.update('one-by-one', FEW, 1));
  add(names.updateByFour, await orchestrator.update('by-four', FEW, 4));
  // Never the same host twice: who fails again is waited for longer.
  add(names.cutFew, await orchestrator.hostCut(hostAt(lab, -1), FEW));
  await orchestrator.scaleUp(MANY);
  add(names.cutMany, await orchestrator.hostCut(hostAt(lab, -2), MANY));
  await orchestrator.remove();
  await orchestrator.close();
}

/** What would be done to the hosts that are left counts for a host cut off: noticing it takes no bare call. */
async function measureBare(bare: BareEngines, hosts: number, add: Add): Promise<void> {
  const deploys: number[] = [];
  for (const atOnce of CONCURRENCIES) {
    await bare.removeDownTo(0, AT_ONCE);
    deploys.push(await bare.start(MANY, atOnce));
  }
  add(names.deploy, Math.min(...deploys));
  const best = CONCURRENCIES[deploys.indexOf(Math.min(...deploys))] ?? AT_ONCE;
  add(names.scaleUp, await bare.start(MANY, best));
  add(names.scaleDown, await bare.removeDownTo(FEW, AT_ONCE));
  add(names.crash, await bare.restartOne());
  add(names.updateByOne, await bare.replaceAll(1));
  add(names.updateByFour, await bare.replaceAll(4));
  add(names.cutFew, await bare.start(FEW / hosts, best, hosts - 1));
  add(names.cutMany, await bare.start(MANY / hosts, best, hosts - 1));
  await bare.removeDownTo(0, AT_ONCE);
  await bare.close();
}

function hostAt(lab: Lab, index: number): LabHost {
  const host = lab.hosts.at(index);
  if (!host) throw new Error('The lab has no hosts');
  return host;
}
