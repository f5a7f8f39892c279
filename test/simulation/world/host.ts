/** A machine of the simulated cluster: a disk, clocks, an engine, an agent, perhaps a coordinator. */
import type { RunningAgent } from '../../../agent/agent.ts';
import { planTask } from '../../../agent/plan/plan-task.ts';
import type { CoordinatorCore } from '../../../coordinator/core.ts';
import { messageOf } from '../../../runtime/errors.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { startSimulatedAgent } from './agent-process.ts';
import { startSimulatedCoordinator } from './coordinator-process.ts';
import { MemoryFiles } from './memory-files.ts';
import type { Mutations } from './mutations.ts';
import type { Network } from './network.ts';
import { type HostClocks, SimulatedProcess } from './process.ts';
import type { Random } from './random.ts';
import { type ContainerWitness, SimulatedEngine } from './simulated-engine.ts';
import type { SimulatedTime } from './time.ts';
import type { Trace } from './trace.ts';

/** How long a supervisor waits before it starts a process again that ended by itself. */
const RESTART_MS = 1_000;

/** How long agents beat that are mute afterwards. */
const SHORT_BEATING_MS = 10_000;

export interface HostParts {
  readonly name: string;
  readonly clusterId: string;
  readonly hasCoordinator: boolean;
  readonly time: SimulatedTime;
  readonly network: Network;
  readonly random: Random;
  readonly trace: Trace;
  readonly newId: () => string;
  readonly witness: ContainerWitness;
  readonly mutations: Mutations;
}

/** A supervised process: its present life, if it has one. */
interface Life<T> {
  readonly process: SimulatedProcess;
  running: T | undefined;
}

export class SimulatedHost {
  readonly name: string;
  readonly nodeId: string;
  readonly clocks: HostClocks;
  readonly engine: SimulatedEngine;
  isUp = true;
  private readonly parts: HostParts;
  private readonly files = new MemoryFiles();
  private agentLife: Life<RunningAgent> | undefined;
  private coordinatorLife: Life<CoordinatorCore> | undefined;
  private lives = 0;
  private boots = 1;

  constructor(parts: HostParts) {
    this.parts = parts;
    this.name = parts.name;
    this.nodeId = derivedId('node', parts.name);
    const { time, random, witness } = parts;
    this.clocks = { wallOffsetMs: random.between(-180_000, 180_000), bootedAtMs: -random.between(0, 1_000_000) };
    this.engine = new SimulatedEngine({ host: parts.name, time, clocks: this.clocks, random: random.fork(), witness });
  }

  get hasCoordinator(): boolean {
    return this.parts.hasCoordinator;
  }

  get agent(): SimulatedProcess | undefined {
    return this.agentLife?.process;
  }

  get coordinator(): SimulatedProcess | undefined {
    return this.coordinatorLife?.process;
  }

  /** The coordinator's insides once it serves and while its process lives. */
  get core(): CoordinatorCore | undefined {
    return this.coordinatorLife?.running;
  }

  startAgent(): void {
    if (!this.isUp || this.agentLife) return;
    const { network, trace, newId, clusterId, mutations } = this.parts;
    const life: Life<RunningAgent> = { process: this.newProcess('agent'), running: undefined };
    this.agentLife = life;
    const place = {
      host: this.name,
      nodeId: this.nodeId,
      clusterId,
      bootId: `${this.name} boot ${this.boots}`,
      hasCoordinator: this.hasCoordinator,
      killContainer: (containerId: string) => this.engine.exit(containerId, 137),
      engine: mutations.engine?.(this.engine) ?? this.engine,
      planTask: mutations.planTask ?? planTask,
      beatsForMs: mutations.mute ? SHORT_BEATING_MS : Number.POSITIVE_INFINITY,
      files: this.files,
      network,
      trace,
      newId,
    };
    startSimulatedAgent(life.process, place).then(
      (running) => {
        life.running = running;
        running.failed.catch((error) => this.agentFailed(life, error));
      },
      (error) => this.agentFailed(life, error),
    );
  }

  killAgent(): void {
    if (this.agentLife) this.end(this.agentLife);
    this.agentLife = undefined;
  }

  startCoordinator(): void {
    if (!this.isUp || this.coordinatorLife || !this.hasCoordinator) return;
    const { network, trace, newId, random, clusterId, mutations } = this.parts;
    const life: Life<CoordinatorCore> = { process: this.newProcess('coordinator'), running: undefined };
    this.coordinatorLife = life;
    const place = {
      host: this.name,
      nodeId: this.nodeId,
      coordinatorId: derivedId('coordinator', this.name),
      clusterId,
      network,
      trace,
      newId,
      random: () => random.next(),
      mutations,
    };
    startSimulatedCoordinator(life.process, place).then(
      (core) => {
        life.running = core;
      },
      (error) => this.coordinatorFailed(life, error),
    );
  }

  killCoordinator(): void {
    if (this.coordinatorLife) this.end(this.coordinatorLife);
    this.coordinatorLife = undefined;
  }

  freeze(which: 'agent' | 'coordinator'): void {
    const process = this[which];
    process?.freeze();
    if (process) this.parts.network.frozen(process);
  }

  thaw(which: 'agent' | 'coordinator'): void {
    const process = this[which];
    process?.thaw();
    if (process) this.parts.network.thawed(process);
  }

  /** Power off: every process dies, containers with them. */
  powerOff(): void {
    this.isUp = false;
    this.killAgent();
    this.killCoordinator();
    this.engine.powerOff();
  }

  powerOn(): void {
    this.isUp = true;
    this.boots += 1;
    this.clocks.bootedAtMs = this.parts.time.nowMs;
    this.engine.restart();
    this.startAgent();
    this.startCoordinator();
  }

  /** Everything runs, answers and tells again. */
  heal(): void {
    if (!this.isUp) this.powerOn();
    if (!this.engine.isUp) this.engine.restart();
    this.engine.unhang();
    this.engine.failures.clear();
    this.engine.loseNoAnswers();
    this.engine.tellsEvents = true;
    this.thaw('agent');
    this.thaw('coordinator');
    this.startAgent();
    this.startCoordinator();
  }

  private agentFailed(life: Life<RunningAgent>, error: unknown): void {
    if (this.agentLife !== life) return;
    this.parts.trace.note(life.process.name, 'ended', { error: messageOf(error) });
    this.killAgent();
    this.parts.time.after(RESTART_MS, () => this.startAgent());
  }

  private coordinatorFailed(life: Life<CoordinatorCore>, error: unknown): void {
    if (this.coordinatorLife !== life) return;
    this.parts.trace.note(life.process.name, 'ended', { error: messageOf(error) });
    this.killCoordinator();
    this.parts.time.after(RESTART_MS, () => this.startCoordinator());
  }

  private newProcess(kind: string): SimulatedProcess {
    this.lives += 1;
    return new SimulatedProcess(`${kind}-${this.name}#${this.lives}`, this.parts.time, this.clocks);
  }

  private end(life: Life<unknown>): void {
    life.process.kill();
    this.parts.network.killed(life.process);
  }
}
