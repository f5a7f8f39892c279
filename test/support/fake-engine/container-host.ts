/**
 * The containers of a simulated host, as kernel and dockerd keep them: what they do by themselves, and what the engine
 * says about each call. Nothing here takes time but what containers do; the calls' time and faults are fake-engine.ts.
 */
import type { ContainerRequest } from '../../../agent/container-spec.ts';
import type { EngineEvent } from '../../../agent/engine/engine.ts';
import type { ObservedContainer } from '../../../agent/plan/observed-container.ts';
import { containerLabels } from '../../../model/labels.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { PlimsollError } from '../../../runtime/errors.ts';

/** How containers of an image behave. */
export interface ContainerBehaviour {
  /** How long it takes to end after SIGTERM; undefined: only SIGKILL ends it. */
  readonly stopsAfterMs?: number | undefined;
  /** Ends by itself so long after its start. */
  readonly exitsAfterMs?: number;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  /** When its health check, if its request has one, first succeeds; undefined: never. */
  readonly healthyAfterMs?: number | undefined;
  /** When its health check has failed often enough; undefined: never. */
  readonly unhealthyAfterMs?: number | undefined;
  /** The engine's words when it cannot be started at all. */
  readonly startError?: string;
}

const wellBehaved: ContainerBehaviour = { stopsAfterMs: 0, healthyAfterMs: 0 };

const SIGTERM_EXIT = 143;
const SIGKILL_EXIT = 137;
const NOT_STARTED_EXIT = 127;

type Mark = 'being removed' | 'being stopped';

interface Run {
  readonly request: ContainerRequest;
  readonly behaviour: ContainerBehaviour;
  /** What it will do by itself, to be called off. */
  readonly timers: Set<() => void>;
  readonly marks: Set<Mark>;
  /** Called at its end. */
  readonly ends: Set<() => void>;
}

export class ContainerHost {
  readonly containers = new Map<string, ObservedContainer>();
  /** Asked at each creation. */
  behaviourOf: (request: ContainerRequest) => ContainerBehaviour = () => wellBehaved;
  /** Counts whatever happens to containers. */
  changes = 0;
  private readonly runs = new Map<string, Run>();
  private readonly clock: Clock | undefined;
  private readonly emit: (event: EngineEvent) => void;
  private made = 0;
  private addresses = 1;

  /** Without a clock, what takes time happens at once or, where it would come by itself, never. */
  constructor(clock: Clock | undefined, emit: (event: EngineEvent) => void) {
    this.clock = clock;
    this.emit = emit;
  }

  // ---- what the engine is asked ----

  find(idOrName: string): ObservedContainer | undefined {
    const byId = this.containers.get(idOrName);
    if (byId) return byId;
    for (const container of this.containers.values()) if (container.name === idOrName) return container;
    return undefined;
  }

  /** Throws `conflict` when the name is taken. */
  create(request: ContainerRequest): string {
    const taken = this.find(request.name);
    if (taken) {
      throw new PlimsollError(
        'conflict',
        `Conflict. The container name "/${request.name}" is already in use by container "${taken.id}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    }
    this.made += 1;
    const id = `container-${this.made}`;
    const behaviour = { ...wellBehaved, ...this.behaviourOf(request) };
    this.changes += 1;
    this.containers.set(id, newContainer(id, request));
    this.runs.set(id, { request, behaviour, timers: new Set(), marks: new Set(), ends: new Set() });
    return id;
  }

  /** Throws `not-found`, `conflict` while it is being removed, `invalid` when its program cannot be run. */
  start(id: string): void {
    const container = this.require(id);
    const run = this.runOf(id);
    if (container.phase === 'running') return;
    if (run.marks.has('being removed')) {
      throw new PlimsollError('conflict', 'container is marked for removal and cannot be started');
    }
    const { startError } = run.behaviour;
    if (startError !== undefined) {
      this.change(id, { exitCode: NOT_STARTED_EXIT, error: startError });
      throw new PlimsollError('invalid', startError);
    }
    this.run(id, run);
  }

  /** SIGTERM; `done` is called when it has ended. True when it runs. */
  terminate(id: string, done: () => void): boolean {
    if (this.containers.get(id)?.phase !== 'running') return false;
    const run = this.runOf(id);
    run.ends.add(done);
    if (run.marks.has('being stopped')) return true;
    run.marks.add('being stopped');
    this.tell('kill', id);
    const { stopsAfterMs } = run.behaviour;
    if (stopsAfterMs !== undefined) this.later(run, stopsAfterMs, () => this.exit(id, SIGTERM_EXIT));
    return true;
  }

  kill(id: string): void {
    this.tell('kill', id);
    this.exit(id, SIGKILL_EXIT);
  }

  /** Throws `conflict` while it runs or is being removed already. */
  remove(id: string): void {
    const container = this.containers.get(id);
    if (!container) return;
    if (container.phase === 'running') {
      throw new PlimsollError(
        'conflict',
        `You cannot remove a running container ${id}. Stop the container before attempting removal or force remove`,
      );
    }
    if (this.runOf(id).marks.has('being removed')) {
      throw new PlimsollError('conflict', `removal of container ${id} is already in progress`);
    }
    this.destroy(id);
  }

  /** From now on the engine is busy removing it, as with a slow disk; `destroy()` ends that. */
  beginRemoval(id: string): void {
    this.runOf(id).marks.add('being removed');
  }

  destroy(id: string): void {
    this.tell('destroy', id);
    for (const cancel of this.runOf(id).timers) cancel();
    this.changes += 1;
    this.containers.delete(id);
    this.runs.delete(id);
  }

  requestOf(id: string): ContainerRequest | undefined {
    return this.runs.get(id)?.request;
  }

  // ---- what befalls containers ----

  /** Ends a running container as the kernel would. */
  exit(id: string, exitCode: number, oomKilled = false): void {
    const run = this.runs.get(id);
    if (!run || this.containers.get(id)?.phase !== 'running') return;
    for (const cancel of run.timers) cancel();
    run.timers.clear();
    run.marks.delete('being stopped');
    const ended = { phase: 'exited', exitCode, oomKilled, health: endedHealth(run) } as const;
    this.change(id, { ...ended, finishedAtMs: this.nowMs(), pid: undefined, address: undefined });
    if (oomKilled) this.tell('oom', id);
    this.tell('die', id, { exitCode: String(exitCode) });
    if (run.ends.size > 0) this.tell('stop', id);
    for (const done of run.ends) done();
    run.ends.clear();
  }

  setHealth(id: string, health: ObservedContainer['health']): void {
    const container = this.containers.get(id);
    if (container?.phase !== 'running' || container.health === health) return;
    this.change(id, { health });
    this.tell(`health_status: ${health}`, id);
  }

  change(id: string, change: Partial<ObservedContainer>): void {
    const container = this.containers.get(id);
    if (!container) return;
    this.changes += 1;
    this.containers.set(id, { ...container, ...change });
  }

  /** Ends every running container at once, as the end of a host, or of a dockerd that does not let them live. */
  exitAll(exitCode: number): void {
    for (const [id, { phase }] of this.containers) if (phase === 'running') this.exit(id, exitCode);
  }

  private run(id: string, run: Run): void {
    const { behaviour, request } = run;
    const isChecked = hasHealthCheck(request);
    this.addresses += 1;
    this.change(id, {
      phase: 'running',
      pid: 1_000 + this.addresses,
      address: `172.17.${this.addresses >> 8}.${this.addresses & 255}`,
      startedAtMs: this.nowMs(),
      finishedAtMs: undefined,
      exitCode: 0,
      oomKilled: false,
      error: '',
      health: isChecked ? 'starting' : 'none',
    });
    this.tell('start', id);
    const { healthyAfterMs, unhealthyAfterMs, exitsAfterMs, exitCode = 0, oomKilled = false } = behaviour;
    if (isChecked) {
      this.turn(id, run, 'healthy', healthyAfterMs);
      this.turn(id, run, 'unhealthy', unhealthyAfterMs);
    }
    if (exitsAfterMs !== undefined) this.later(run, exitsAfterMs, () => this.exit(id, exitCode, oomKilled));
  }

  private turn(id: string, run: Run, health: 'healthy' | 'unhealthy', afterMs: number | undefined): void {
    if (afterMs !== undefined) this.later(run, afterMs, () => this.setHealth(id, health));
  }

  private later(run: Run, delayMs: number, work: () => void): void {
    if (!this.clock) {
      if (delayMs === 0) work();
      return;
    }
    const cancel = this.clock.after(delayMs, () => {
      run.timers.delete(cancel);
      work();
    });
    run.timers.add(cancel);
  }

  private tell(action: string, containerId: string, more: Record<string, string> = {}): void {
    const attributes = { ...this.containers.get(containerId)?.labels, ...more };
    this.emit({ action, containerId, attributes, atMs: this.nowMs() });
  }

  private nowMs(): number {
    return this.clock?.wallMs() ?? 1;
  }

  private require(id: string): ObservedContainer {
    const container = this.containers.get(id);
    if (!container) throw new PlimsollError('not-found', `No such container: ${id}`);
    return container;
  }

  private runOf(id: string): Run {
    const run = this.runs.get(id);
    if (!run) throw new PlimsollError('not-found', `No such container: ${id}`);
    return run;
  }
}

function newContainer(id: string, { name, body }: ContainerRequest): ObservedContainer {
  const labels = (body.Labels ?? {}) as Record<string, string>;
  return {
    id,
    name,
    labels,
    taskId: labels[containerLabels.task] ?? '',
    serviceId: labels[containerLabels.service] ?? '',
    slot: Number(labels[containerLabels.slot]),
    revision: Number(labels[containerLabels.revision]),
    attempt: Number(labels[containerLabels.attempt]),
    image: String(body.Image),
    phase: 'created',
    health: 'none',
    pid: undefined,
    address: undefined,
    exitCode: 0,
    oomKilled: false,
    error: '',
    startedAtMs: undefined,
    finishedAtMs: undefined,
  };
}

function hasHealthCheck({ body }: ContainerRequest): boolean {
  const test = (body.Healthcheck as { Test?: readonly string[] } | undefined)?.Test;
  return test !== undefined && test.length > 0 && test[0] !== 'NONE';
}

/** Docker calls a container that had a check and ended unhealthy. */
function endedHealth({ request }: Run): ObservedContainer['health'] {
  return hasHealthCheck(request) ? 'unhealthy' : 'none';
}
