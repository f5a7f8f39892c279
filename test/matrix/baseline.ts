/** The state every cell starts from: all parts run, the right coordinator leads, two replicas of `steady` on each host. */
import { Cluster, linesOf } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import type { Lab } from '../support/lab.ts';
import { LabWatch } from '../support/lab-watch.ts';
import { type Cell, leaderHostOf } from './cell.ts';
import { changing, createChanging, createUntouched, wantedBefore } from './workload.ts';

const POLL_MS = 100;
const BASELINE_MS = 60_000;

/** A lab of three hosts with coordinators on h1 and h2, and the eyes on it. */
export class MatrixLab {
  readonly lab: Lab;
  readonly cluster: Cluster;
  readonly watch: LabWatch;

  constructor(lab: Lab) {
    this.lab = lab;
    this.cluster = new Cluster(lab);
    this.watch = new LabWatch(lab);
  }

  /** Ends the watch; the lab stays. */
  async close(): Promise<void> {
    await this.watch.close();
  }

  /** Brings everything to where the cell begins; throws when that cannot be done. */
  async reachBaseline(cell: Cell): Promise<void> {
    await this.repair();
    await this.remove(changing.name);
    await this.letLead(leaderHostOf(cell));
    await this.spreadUntouched();
    const wanted = wantedBefore(cell.phase);
    if (changing.name in wanted) await createChanging(this.cluster);
    await this.whole(wanted);
  }

  /** Waits until everything is as it should be. */
  async whole(wanted: Readonly<Record<string, number>>): Promise<void> {
    const condition = async () => {
      const complaints = await this.watch.complaints(wanted);
      if (complaints.length > 0) throw new Error(complaints.join('; '));
      return true;
    };
    await eventually(condition, { timeoutMs: BASELINE_MS, intervalMs: POLL_MS, what: 'the lab to be whole' });
  }

  /** What an earlier cell has left frozen, cut off or dead, when there is anything. */
  private async repair(): Promise<void> {
    if ((await this.watch.nodeComplaints()).length === 0) return;
    for (const { name } of this.lab.hosts) {
      await this.lab.command('heal', name).catch(() => this.lab.command('revive', name));
      await this.lab.command('thaw', name);
    }
    await this.lab.command('up', '--hosts', '3', '--modern', '0', '--coordinators', '2');
  }

  private async remove(service: string): Promise<void> {
    const names = linesOf(await this.cluster.docker('service', 'ls', '--format', '{{.Name}}'));
    if (names.includes(service)) await this.cluster.docker('service', 'rm', service);
    const isGone = async () => {
      const left = (await this.watch.engines.containers()).filter((container) => container.service === service);
      const shown = left.map(
        ({ slot, host, running }) => `${slot} on ${host} (${running ? 'running' : 'not running'})`,
      );
      if (left.length > 0) throw new Error(`there are still ${shown.join(', ')}`);
      return true;
    };
    const what = `containers of ${service} to be gone`;
    await eventually(isGone, { timeoutMs: BASELINE_MS, intervalMs: POLL_MS, what });
  }

  /** Kills the coordinator that leads, if it is the other one. */
  private async letLead(host: string): Promise<void> {
    const leads = async () => (await this.watch.leaderHost()) === host;
    if (await leads()) return;
    const other = host === 'h1' ? 'h2' : 'h1';
    await this.lab.command('kill', `coordinator:${other}`);
    await this.lab.command('start', `coordinator:${other}`);
    await eventually(leads, {
      timeoutMs: BASELINE_MS,
      intervalMs: POLL_MS,
      what: `the coordinator on ${host} to lead`,
    });
  }

  private async spreadUntouched(): Promise<void> {
    if (await this.isSpread()) return;
    await this.remove('steady');
    await this.remove('all');
    await createUntouched(this.cluster);
    await this.whole(wantedBefore('idle'));
    if (!(await this.isSpread()))
      throw new Error('The replicas of steady are not spread evenly over three ready hosts');
  }

  private async isSpread(): Promise<boolean> {
    const running = (await this.watch.engines.containers()).filter((container) => container.running);
    const countOn = (host: string, service: string) =>
      running.filter((container) => container.host === host && container.service === service).length;
    return this.lab.hosts.every(({ name }) => countOn(name, 'steady') === 2 && countOn(name, 'all') === 1);
  }
}
