/** Keeps this host's published ingress ports pointing at the ready local containers, whatever else touches the tables. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { Poke, runLoop } from '../../runtime/loop.ts';
import { counterOf, type Metrics } from '../../runtime/metrics.ts';
import { SerialQueue } from '../../runtime/serial-queue.ts';
import { networksOf, parseConnectedNetworks } from './bridge-networks.ts';
import { type CommandResult, type CommandRunner, runSuccessfully } from './command-runner.ts';
import { ensureAccepted, ingressAccept, removeAccepted } from './forward-accept.ts';
import { ensureHairpin } from './hairpin.ts';
import { checkPortsFree, type PublishedPort } from './held-ports.ts';
import {
  INGRESS_TABLE,
  type IngressEndpoint,
  type IngressTable,
  type MeshView,
  renderIngressTable,
} from './ingress-table.ts';
import { type IngressWish, IngressWishes, leadsElsewhere, leadsSomewhere } from './ingress-wishes.ts';
import { LoopbackRouting, type ProcFiles } from './loopback-routing.ts';
import { KeptPorts } from './mesh/kept-ports.ts';
import { type RenderedTable, tableChange, tableRemoval } from './nft-elements.ts';
import { VXLAN_DEVICE } from './overlay/overlay-names.ts';
import { checkIngressSupport } from './preflight.ts';
import { staleFlows } from './stale-flows.ts';

export interface IngressPorts {
  /** Throws `conflict` when a program of this host holds one of the ports. Asked before a task is started. */
  checkFree(ports: readonly PublishedPort[]): Promise<void>;
  /**
   * Sets the endpoints of all ready local tasks, replacing the list before; resolves when the kernel has them.
   * Throws when the host refuses; the same list is then tried again by the next check.
   */
  apply(endpoints: readonly IngressEndpoint[]): Promise<void>;
  /**
   * Sends a task no new connections; resolves when the kernel knows: call it before SIGTERM. Never rejects: a container
   * that has to go goes, and the failure is logged, counted and tried again by the next check.
   * The task stays out until a list without it has been applied, so that a list made just before cannot bring it back.
   */
  withdraw(taskId: string): Promise<void>;
  /**
   * Sets the other nodes: their ports are answered here too, and they may send connections for the tasks here. Undefined
   * while there is none to speak with. Resolves when the kernel has it; throws when the host refuses, and tries again.
   */
  applyMesh(mesh: MeshView | undefined): Promise<void>;
  /** Checks, until the signal aborts, that the host still has what was applied, and repairs it within 2 s. */
  watch(signal: AbortSignal): Promise<void>;
  /** Why the host does not serve what was applied; undefined while it does. */
  readonly trouble?: string | undefined;
  /** Takes every trace off the host: table, Docker rule, kernel switches. */
  remove(): Promise<void>;
}

export interface IngressParts {
  readonly run: CommandRunner;
  readonly files: ProcFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface InstalledTable {
  readonly wish: IngressTable;
  /** As we sent it. */
  readonly table: RenderedTable;
  /** As the kernel lists it: differs as soon as anybody changes it. Undefined until it was asked. */
  readonly listing: string | undefined;
}

const CHECK_INTERVAL_MS = 2_000;
/** Every so many checks the whole table is read, not only whether it is there. */
const CHECKS_PER_LISTING = 15;
const CHECK_RETRY_MS = 5_000;

/** Touches nothing on the host until the first endpoint is applied. */
export function createIngressPorts(parts: IngressParts): IngressPorts {
  return new HostIngressPorts(parts);
}

class HostIngressPorts implements IngressPorts {
  private readonly parts: IngressParts;
  private readonly loopback: LoopbackRouting;
  private readonly kept: KeptPorts;
  private readonly wishes = new IngressWishes();
  /** Undefined while unknown or never touched. */
  private installed: InstalledTable | undefined;
  /** One change of the host at a time; each looks at the wishes of its own moment, so later ones find nothing to do. */
  private readonly queue = new SerialQueue();
  private checks = 0;
  /** Nothing of ours is loaded: each question would start a program, every two seconds on a host without any port. */
  private isKnownClear = false;
  private conntrackMissing = false;
  trouble: string | undefined;

  constructor(parts: IngressParts) {
    this.parts = parts;
    this.loopback = new LoopbackRouting(parts.files, parts.run);
    this.kept = new KeptPorts(parts.files, parts.log);
  }

  checkFree(ports: readonly PublishedPort[]): Promise<void> {
    return checkPortsFree(this.parts.files, ports);
  }

  apply(endpoints: readonly IngressEndpoint[]): Promise<void> {
    this.wishes.set(endpoints);
    return this.queue.run(() => this.install());
  }

  applyMesh(mesh: MeshView | undefined): Promise<void> {
    this.wishes.setMesh(mesh);
    return this.queue.run(() => this.install());
  }

  withdraw(taskId: string): Promise<void> {
    if (!this.wishes.withdraw(taskId)) return this.queue.idle();
    return this.queue
      .run(() => this.install())
      .catch((error: unknown) => {
        this.parts.log.error({ taskId, error: messageOf(error) }, 'could not stop sending connections to a task');
      });
  }

  watch(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.parts;
    const onError = (error: unknown) => log.error({ error: messageOf(error) }, 'could not keep the ingress ports');
    const times = { minGapMs: 0, resyncMs: CHECK_INTERVAL_MS, retryMs: CHECK_RETRY_MS };
    return runLoop({ tick: () => this.queue.run(() => this.check()), poke: new Poke(), times, clock, onError }, signal);
  }

  remove(): Promise<void> {
    this.wishes.set([]);
    this.wishes.setMesh(undefined);
    return this.queue.run(() => this.clear());
  }

  private install(): Promise<void> {
    const note = (trouble: string | undefined) => {
      this.trouble = trouble;
    };
    return this.bringUp().then(
      () => note(undefined),
      (error: unknown) => {
        note(messageOf(error));
        throw error;
      },
    );
  }

  private async bringUp(): Promise<void> {
    const wish = this.wishes.current;
    if (wish === undefined) return;
    if (!leadsSomewhere(wish) && this.installed === undefined && !(await this.hasLeftovers())) return;
    const wanted = await this.tableFor(wish);
    const { installed } = this;
    // Every check comes here, and a large mesh takes long to render: half a second for 100 ports on 100 nodes.
    const isSame = isDeepStrictEqual(wanted, installed?.wish);
    const table = installed && isSame ? installed.table : renderIngressTable(wanted);
    const change = isSame ? '' : tableChange(installed?.table, table);
    if (change !== '') await this.load(change, { wish: wanted, table });
    else if (installed) this.installed = { ...installed, wish: wanted };
  }

  private async tableFor(wish: IngressWish): Promise<IngressTable> {
    const routes = await this.parts.files.read('/proc/net/route');
    const addresses = [...wish.endpoints, ...wish.leaving].map((endpoint) => endpoint.address);
    const bridges = networksOf(addresses, parseConnectedNetworks(routes));
    const devices = bridges.map((bridge) => bridge.device);
    for (const device of devices) await this.letContainersReachThemselves(device);
    const mesh = await this.kept.meshWithout(wish);
    const ways = leadsElsewhere(mesh) ? [...devices, VXLAN_DEVICE] : devices;
    return { ...wish, mesh, bridges, loopbackDevices: await this.loopback.devicesToSwitch(ways) };
  }

  /** Serving everybody else matters more than this: a failure is logged and the ports are served. */
  private async letContainersReachThemselves(bridge: string): Promise<void> {
    await ensureHairpin(this.parts.run, bridge).catch((error: unknown) => {
      const fields = { bridge, error: messageOf(error) };
      this.parts.log.warn(fields, 'cannot set hairpin mode: a container may not reach itself through its own port');
    });
  }

  private async load(change: string, { wish, table }: Omit<InstalledTable, 'listing'>): Promise<void> {
    const before = this.installed;
    if (before === undefined) {
      await checkIngressSupport(this.parts.run);
      await this.acceptForwarding();
    }
    // What the kernel has after a failure is not what we believed: the next try loads the whole.
    this.installed = undefined;
    this.isKnownClear = false;
    await this.nft(`${change}\n`);
    // Only now: the table holds the guard that makes these switches harmless.
    await this.loopback.switchOn(wish.loopbackDevices);
    this.installed = { wish, table, listing: undefined };
    await this.forgetFlows(before?.wish ?? { endpoints: [], mesh: undefined }, wish);
  }

  private async nft(text: string): Promise<void> {
    const applied = counterOf(
      this.parts.metrics,
      'plimsoll_ingress_changes_total',
      'Replacements of the nft table of published ports, by result.',
      ['result'],
    );
    try {
      await runSuccessfully(this.parts.run, 'nft', ['-f', '-'], text);
      applied.inc({ result: 'success' });
    } catch (error) {
      applied.inc({ result: 'failure' });
      throw error;
    }
  }

  private async check(): Promise<void> {
    this.checks += 1;
    if (this.checks % CHECKS_PER_LISTING === 0) this.kept.doubt();
    const { installed, wishes } = this;
    if (installed === undefined) return this.install();
    if (wishes.current && !leadsSomewhere(wishes.current)) return this.clear();
    await this.acceptForwarding();
    await this.loopback.switchOn(installed.wish.loopbackDevices);
    if (!(await this.isIntact(installed))) {
      this.parts.log.warn({ table: INGRESS_TABLE }, 'another program changed our nft table, putting it back');
      await this.load(tableChange(undefined, installed.table), installed);
    }
    await this.install();
  }

  /** That it is there is asked each time, what is in it now and then: the whole is long. */
  private async isIntact(installed: InstalledTable): Promise<boolean> {
    if (this.checks % CHECKS_PER_LISTING !== 0 && installed.listing !== undefined) return this.hasTable();
    const listing = await this.listing();
    this.installed = { ...installed, listing };
    return listing === (installed.listing ?? listing) && listing !== '';
  }

  private async clear(): Promise<void> {
    await this.loopback.restore();
    // A table that was loaded is taken away without a question, which might fail: the removal of none is no error.
    const isThere = this.installed !== undefined || (await this.hasLeftovers());
    if (isThere) await this.nft(`${tableRemoval(INGRESS_TABLE)}\n`);
    await removeAccepted(this.parts.run, ingressAccept);
    this.installed = undefined;
  }

  private async acceptForwarding(): Promise<void> {
    if (await ensureAccepted(this.parts.run, ingressAccept)) return;
    this.parts.log.debug({ chain: 'DOCKER-USER' }, 'Docker has no chain for our rule, nothing to accept');
  }

  /** The table as the kernel tells it; empty when it is gone. */
  private async listing(): Promise<string> {
    const { exitCode, stdout } = await this.parts.run('nft', ['list', 'table', 'ip', INGRESS_TABLE]);
    return exitCode === 0 ? stdout : '';
  }

  private async hasTable(): Promise<boolean> {
    const { exitCode } = await this.parts.run('nft', ['list', 'chain', 'ip', INGRESS_TABLE, 'prerouting']);
    return exitCode === 0;
  }

  /** A table of an earlier process. Where nft gives no answer, it is asked again. */
  private async hasLeftovers(): Promise<boolean> {
    if (this.isKnownClear) return false;
    const listed = await this.parts.run('nft', ['list', 'table', 'ip', INGRESS_TABLE]).catch(withoutProgram);
    this.isKnownClear = listed.exitCode !== 0 && /No such file or directory/.test(listed.stderr);
    return listed.exitCode === 0;
  }

  private async forgetFlows(
    before: Pick<IngressTable, 'endpoints' | 'mesh'>,
    after: Pick<IngressTable, 'endpoints' | 'mesh'>,
  ): Promise<void> {
    for (const flows of staleFlows(before, after)) {
      if (this.conntrackMissing) return;
      // conntrack ends with 1 when there was nothing to delete: that is fine.
      await this.parts.run('conntrack', ['-D', ...flows]).catch((error: unknown) => {
        this.conntrackMissing = true;
        const fields = { error: messageOf(error) };
        this.parts.log.warn(fields, 'cannot forget UDP flows: busy UDP clients stay with a container that is gone');
      });
    }
  }
}

/** Where nft cannot be run, nobody has loaded a table; one that does not end in time says nothing. */
function withoutProgram(error: unknown): CommandResult {
  const isMissing = error instanceof PlimsollError && error.code === 'precondition';
  return { exitCode: 1, stdout: '', stderr: isMissing ? 'No such file or directory' : messageOf(error) };
}
