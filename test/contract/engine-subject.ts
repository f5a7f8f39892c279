/** What the tests of engines work with: an engine that can be hurt, and containers with programs that behave as told. */
import type { ContainerRequest } from '../../agent/container-spec.ts';
import type { Engine } from '../../agent/engine/engine.ts';
import type { ObservedContainer } from '../../agent/plan/observed-container.ts';
import { containerLabels } from '../../model/labels.ts';
import { derivedId, randomId } from '../../runtime/identifiers.ts';
import { eventually } from '../support/eventually.ts';

export interface EngineSubject {
  readonly engine: Engine;
  /** Resolves once the container's program handles SIGTERM. */
  listens(container: ObservedContainer): Promise<void>;
  /** Ends a container's process behind the engine's back. */
  killProcess(container: ObservedContainer): Promise<void>;
  killDockerd(): Promise<void>;
  startDockerd(): Promise<void>;
  /** SIGSTOP: dockerd answers nothing until `thawDockerd()`. */
  freezeDockerd(): Promise<void>;
  thawDockerd(): Promise<void>;
  /** Leaves no container. */
  clean(): Promise<void>;
}

/** What containers are made of here; it has a busybox. */
export const engineTestImage = 'plimsoll/test:1';
export const otherCluster = derivedId('cluster', 'other');
export const clusterId = derivedId('cluster', 'own');

/** What containers run here, by the words of their command. */
export const programs = {
  /** The first process of a container is deaf to signals it does not handle. */
  deaf: ['sleep', '1000'],
  polite: ['sh', '-c', 'trap "exit 143" TERM; while true; do sleep 0.05; done'],
  exitsWith3: ['sh', '-c', 'exit 3'],
  absent: ['/bin/nothing'],
  eatsMemory: ['sh', '-c', 'x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done'],
} as const;

export const healthyCheck = { Test: ['CMD', 'true'], Interval: 50e6, Timeout: 5e9, Retries: 1 };
export const unhealthyCheck = { ...healthyCheck, Test: ['CMD', 'false'] };

/** A container of slot 2 of the service `web`, under a name of its own. */
export function request(program: keyof typeof programs, body: Record<string, unknown> = {}, cluster = clusterId) {
  const Labels = {
    [containerLabels.cluster]: cluster,
    [containerLabels.task]: randomId(),
    [containerLabels.service]: derivedId('service', 'web'),
    [containerLabels.slot]: '2',
    [containerLabels.revision]: '3',
    [containerLabels.attempt]: '4',
  };
  const named: ContainerRequest = {
    name: `web.2.${randomId()}`,
    body: { Image: engineTestImage, Cmd: programs[program], Labels, ...body },
  };
  return named;
}

export interface Workshop {
  /** Throws for a container the engine does not know. */
  look(id: string): Promise<ObservedContainer>;
  /** Makes and starts a container; answers its id. */
  run(program: keyof typeof programs, body?: Record<string, unknown>): Promise<string>;
  /** Waits until it has ended. */
  ended(id: string): Promise<ObservedContainer>;
}

export function workshopAt(subject: () => EngineSubject): Workshop {
  const look = async (id: string) => {
    const container = await subject().engine.look(clusterId, id);
    if (!container) throw new Error(`The engine does not know ${id}`);
    return container;
  };
  const run = async (program: keyof typeof programs, body: Record<string, unknown> = {}) => {
    const { engine } = subject();
    const id = await engine.create(request(program, body));
    await engine.start(id);
    if (program === 'polite') await subject().listens(await look(id));
    return id;
  };
  const ended = async (id: string) => {
    await eventually(async () => (await look(id)).phase === 'exited', { what: 'the container has ended' });
    return look(id);
  };
  return { look, run, ended };
}
