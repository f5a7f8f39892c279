/** What is measured, each the same way for every contender. */
import type { Lab, LabHost } from '../support/lab.ts';
import { EngineApi } from './engine-api.ts';
import { forEachConcurrently, secondsOf, secondsUntil } from './measure.ts';

const IMAGE = 'plimsoll/sleep:1';
export const SERVICE = 'bench';

/** The service both orchestrators get: tiny containers that start at once and stop at once. */
export function serviceSpec(replicas: number, env: readonly string[] = []): Record<string, unknown> {
  return {
    Name: SERVICE,
    TaskTemplate: { ContainerSpec: { Image: IMAGE, Env: env, StopGracePeriod: 0, Init: false } },
    Mode: { Replicated: { Replicas: replicas } },
  };
}

/** Seconds to kill one container and to create and start another by bare calls: the least a restart can take. */
export async function bareRestart(host: LabHost, hostConfig: unknown): Promise<number> {
  const api = new EngineApi(host.engineSocket);
  const run = async (name: string) => {
    const body = { Image: IMAGE, HostConfig: hostConfig };
    const { Id } = await api.call<{ Id: string }>('POST', `/containers/create?name=${name}`, body);
    await api.call('POST', `/containers/${Id}/start`);
    return Id;
  };
  const first = await run('bare-first');
  let second = '';
  const seconds = await secondsOf(async () => {
    await api.call('POST', `/containers/${first}/kill?signal=KILL`);
    second = await run('bare-second');
  });
  for (const id of [first, second]) await api.call('DELETE', `/containers/${id}?force=1`);
  await api.close();
  return seconds;
}

/** Creates and starts `perEngine` containers on each engine by bare API calls with the given HostConfig. */
export async function bareRun(
  hosts: readonly LabHost[],
  perEngine: number,
  concurrency: number,
  hostConfig: unknown,
): Promise<number> {
  const apis = hosts.map((host) => new EngineApi(host.engineSocket));
  const names = Array.from({ length: perEngine }, (_, index) => `bare-${index}`);
  const start = async (api: EngineApi, name: string) => {
    const body = { Image: IMAGE, HostConfig: hostConfig };
    const { Id } = await api.call<{ Id: string }>('POST', `/containers/create?name=${name}`, body);
    await api.call('POST', `/containers/${Id}/start`);
  };
  const seconds = await secondsOf(() =>
    Promise.all(apis.map((api) => forEachConcurrently(names, concurrency, (name) => start(api, name)))),
  );
  await Promise.all(apis.map((api) => removeContainers(api)));
  await Promise.all(apis.map((api) => api.close()));
  return seconds;
}

async function removeContainers(api: EngineApi): Promise<void> {
  const containers = await api.containers();
  await forEachConcurrently(containers, 4, (one) => api.call('DELETE', `/containers/${one.Id}?force=1`));
}

/** Seconds from the create call until all replicas are seen running. */
export async function deploy(api: EngineApi, replicas: number): Promise<number> {
  return secondsOf(async () => {
    await api.createService(serviceSpec(replicas));
    await secondsUntil(async () => (await api.runningTasks(SERVICE)).length === replicas);
  });
}

/** Seconds from the scale call until all replicas are seen running. */
export async function scale(api: EngineApi, replicas: number): Promise<number> {
  return secondsOf(async () => {
    await api.updateService(SERVICE, (spec) => ({ ...spec, Mode: { Replicated: { Replicas: replicas } } }));
    await secondsUntil(async () => (await api.runningTasks(SERVICE)).length === replicas);
  });
}

/** Removes the service and waits until its containers are gone from every host. */
export async function remove(api: EngineApi, hosts: readonly LabHost[]): Promise<void> {
  await api.call('DELETE', `/services/${SERVICE}`);
  await settle(hosts, 0);
}

/** Waits until the engines run just `count` containers: what was told to stop is gone and takes no time any more. */
export async function settle(hosts: readonly LabHost[], count: number): Promise<void> {
  const engines = hosts.map((host) => new EngineApi(host.engineSocket));
  await secondsUntil(async () => {
    const lists = await Promise.all(engines.map((engine) => engine.runningContainers()));
    return lists.flat().length === count;
  });
  await Promise.all(engines.map((engine) => engine.close()));
}

/** Kills one container and answers the seconds until the service has all replicas again, the killed task not counted. */
export async function crash(api: EngineApi, host: LabHost, replicas: number): Promise<number> {
  const engine = new EngineApi(host.engineSocket);
  const running = new Set((await api.runningTasks(SERVICE)).map((task) => task.ID));
  const taskOf = (container: { Labels: Record<string, string> }) => container.Labels['com.docker.swarm.task.id'] ?? '';
  const victim = (await engine.containers()).find((one) => running.has(taskOf(one)));
  if (!victim) throw new Error(`No container of ${SERVICE} runs on ${host.name}`);
  const seconds = await secondsOf(async () => {
    await engine.call('POST', `/containers/${victim.Id}/kill?signal=KILL`);
    await secondsUntil(async () => {
      const running = await api.runningTasks(SERVICE);
      return running.filter((task) => task.ID !== taskOf(victim)).length === replicas;
    });
  });
  await engine.close();
  return seconds;
}

/** Cuts a host's cable and answers the seconds until all replicas run on the other hosts; then heals it. */
export async function hostLoss(lab: Lab, api: EngineApi, host: LabHost, replicas: number): Promise<number> {
  const nodes = await api.call<readonly { ID: string; Description: { Hostname: string } }[]>('GET', '/nodes');
  const lost = nodes.find((node) => node.Description.Hostname === host.name)?.ID;
  if (lost === undefined) throw new Error(`No node is called ${host.name}`);
  const seconds = await secondsOf(async () => {
    await lab.command('cut', host.name);
    await secondsUntil(async () => {
      const running = await api.runningTasks(SERVICE);
      return running.filter((task) => task.NodeID !== lost).length >= replicas;
    });
  });
  await lab.command('heal', host.name);
  await secondsUntil(async () => {
    const node = await api.call<{ Status: { State: string } }>('GET', `/nodes/${lost}`);
    return node.Status.State === 'ready';
  });
  return seconds;
}
