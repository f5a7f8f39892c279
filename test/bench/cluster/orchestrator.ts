/** What is measured of an orchestrator, the same way for every one: through the Engine API, as its users see it. */
import type { Lab, LabHost } from '../../support/lab.ts';
import { EngineApi, type TaskRow } from '../engine-api.ts';
import { secondsOf, secondsUntil } from '../measure.ts';
import { runningContainers, settle } from './hosts.ts';

export const IMAGE = 'plimsoll/sleep:1';
const SERVICE = 'bench';
/** Both wait so long (in ns) before they believe a new task: not at all. */
const MONITOR_NS = 1;

/** A cluster that answers the Engine API, with one service at most. */
export class Orchestrator {
  readonly api: EngineApi;
  private readonly lab: Lab;

  constructor(lab: Lab) {
    this.lab = lab;
    this.api = new EngineApi(lab.clusterSocket);
  }

  /** Seconds from the create call until all replicas are seen running. Tiny containers that start and stop at once. */
  deploy(replicas: number): Promise<number> {
    const spec = {
      Name: SERVICE,
      TaskTemplate: { ContainerSpec: { Image: IMAGE, StopGracePeriod: 0, Init: false } },
      Mode: { Replicated: { Replicas: replicas } },
    };
    return secondsOf(async () => {
      await this.api.createService(spec);
      await this.untilRunning((tasks) => tasks.length === replicas);
    });
  }

  /** Seconds from the scale call until all replicas are seen running. */
  scaleUp(replicas: number): Promise<number> {
    return secondsOf(async () => {
      await this.scale(replicas);
      await this.untilRunning((tasks) => tasks.length === replicas);
    });
  }

  /** Seconds from the scale call until no more containers than that run on the engines. */
  scaleDown(replicas: number): Promise<number> {
    return secondsOf(async () => {
      await this.scale(replicas);
      await settle(this.lab.hosts, replicas);
    });
  }

  /** Kills one container; seconds until the service has all replicas again, the killed task not counted. */
  async crash(host: LabHost, replicas: number): Promise<number> {
    const engine = new EngineApi(host.engineSocket);
    const victim = await this.someContainer(engine, host.name);
    const seconds = await secondsOf(async () => {
      await engine.call('POST', `/containers/${victim.containerId}/kill?signal=KILL`);
      await this.untilRunning((tasks) => tasks.filter((task) => task.ID !== victim.taskId).length === replicas);
    });
    await engine.close();
    return seconds;
  }

  /** A start-first update; seconds until it is called completed and all replicas, and no others, run the new version. */
  async update(version: string, replicas: number, parallelism: number): Promise<number> {
    const UpdateConfig = { Parallelism: parallelism, Order: 'start-first', Delay: 0, Monitor: MONITOR_NS };
    const ContainerSpec = { Image: IMAGE, StopGracePeriod: 0, Init: false, Env: [`VERSION=${version}`] };
    const isNew = (task: TaskRow) => task.Spec.ContainerSpec.Env?.includes(`VERSION=${version}`) ?? false;
    return secondsOf(async () => {
      await this.api.updateService(SERVICE, (spec) => ({ ...spec, UpdateConfig, TaskTemplate: { ContainerSpec } }));
      await this.untilRunning((tasks) => tasks.length === replicas && tasks.every(isNew));
      await secondsUntil(async () => (await this.api.service(SERVICE)).UpdateStatus?.State === 'completed');
    });
  }

  /** Pulls a host's cable; seconds until all replicas run on the other hosts. Then plugs it in again. */
  async hostCut(host: LabHost, replicas: number): Promise<number> {
    const nodeId = await this.nodeIdOf(host);
    const seconds = await secondsOf(async () => {
      await this.lab.command('cut', host.name);
      await this.untilRunning((tasks) => tasks.filter((task) => task.NodeID !== nodeId).length >= replicas);
    });
    await this.lab.command('heal', host.name);
    await secondsUntil(async () => {
      const node = await this.api.call<{ Status: { State: string } }>('GET', `/nodes/${nodeId}`);
      return node.Status.State === 'ready';
    });
    await settle(this.lab.hosts, replicas);
    return seconds;
  }

  /** Removes the service and waits until its containers are gone from every host. */
  async remove(): Promise<void> {
    await this.api.call('DELETE', `/services/${SERVICE}`);
    await settle(this.lab.hosts, 0);
  }

  close(): Promise<void> {
    return this.api.close();
  }

  private scale(replicas: number): Promise<void> {
    return this.api.updateService(SERVICE, (spec) => ({ ...spec, Mode: { Replicated: { Replicas: replicas } } }));
  }

  private async untilRunning(isReached: (tasks: readonly TaskRow[]) => boolean): Promise<void> {
    await secondsUntil(async () => isReached(await this.api.runningTasks(SERVICE)));
  }

  private async someContainer(engine: EngineApi, host: string): Promise<{ containerId: string; taskId: string }> {
    const running = new Set((await this.api.runningTasks(SERVICE)).map((task) => task.ID));
    for (const { Id, Labels } of await runningContainers(engine)) {
      const taskId = Labels['com.docker.swarm.task.id'] ?? '';
      if (running.has(taskId)) return { containerId: Id, taskId };
    }
    throw new Error(`No container of ${SERVICE} runs on ${host}`);
  }

  private async nodeIdOf(host: LabHost): Promise<string> {
    const nodes = await this.api.call<readonly { ID: string; Description: { Hostname: string } }[]>('GET', '/nodes');
    const node = nodes.find((candidate) => candidate.Description.Hostname === host.name);
    if (!node) throw new Error(`No node is called ${host.name}`);
    return node.ID;
  }
}
