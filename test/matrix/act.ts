/** Does to the lab what a cell asks for, for exactly as long, and undoes it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Lab } from '../support/lab.ts';
import { type Cell, hostOf, type Target } from './cell.ts';

/** A crashed host stays off this long: enough to be missed, short enough that its tasks' originals may come back. */
const POWER_OFF_MS = 10_000;

const partOf: Readonly<Record<Exclude<Target, 'host'>, string>> = {
  agent: 'agent',
  leader: 'coordinator',
  follower: 'coordinator',
  nats: 'nats',
  dockerd: 'engine',
};

/** What the lab's commands call the victim. */
function subjectOf(cell: Cell): string {
  const host = hostOf(cell);
  return cell.target === 'host' ? host : `${partOf[cell.target]}:${host}`;
}

/** Resolves when the fault is over. */
export async function act(lab: Lab, cell: Cell): Promise<void> {
  const host = hostOf(cell);
  const subject = subjectOf(cell);
  switch (cell.fault) {
    case 'kill':
      return cell.target === 'host' ? crash(lab, host) : killed(lab, subject);
    case 'restart':
      return told(lab, 'restart', subject);
    case 'freeze 1.5 s':
      return told(lab, 'freeze', subject, '--for', '1.5');
    case 'freeze 30 s':
      return told(lab, 'freeze', subject, '--for', '30');
    case 'cut 1 s':
      return told(lab, 'cut', host, '--for', '1');
    case 'cut 30 s':
      return told(lab, 'cut', host, '--for', '30');
  }
}

async function told(lab: Lab, ...words: string[]): Promise<void> {
  await lab.command(...words);
}

/** Started again at once, as every supervisor does. */
async function killed(lab: Lab, subject: string): Promise<void> {
  await lab.command('kill', subject);
  await lab.command('start', subject);
}

async function crash(lab: Lab, host: string): Promise<void> {
  await lab.command('crash', host);
  await delay(POWER_OFF_MS);
  await lab.command('revive', host);
}
