/**
 * The same work by bare Engine API calls, all engines at once: the least an orchestrator on these engines can take. It
 * knows beforehand what to do, tells nobody and checks nothing.
 */
import type { LabHost } from '../../support/lab.ts';
import { EngineApi } from '../engine-api.ts';
import { forEachConcurrently, secondsOf } from '../measure.ts';
import { runningContainers } from './hosts.ts';
import { IMAGE } from './orchestrator.ts';

export class BareEngines {
  private readonly engines: readonly EngineApi[];
  private readonly hostConfig: unknown;

  /** `hostConfig`: of a container an orchestrator made, so that the engines do the same work. */
  constructor(hosts: readonly LabHost[], hostConfig: unknown) {
    this.engines = hosts.map((host) => new EngineApi(host.engineSocket));
    this.hostConfig = hostConfig;
  }

  /** Seconds to create and start `count` containers, spread over the first `engines`, so many at a time on each. */
  start(count: number, atOnce: number, engines = this.engines.length): Promise<number> {
    return this.onEach(engines, (engine, index) =>
      forEachConcurrently(shareOf(count, engines, index), atOnce, () => this.startOne(engine)),
    );
  }

  /** Seconds to kill and remove containers until `rest` are left. */
  async removeDownTo(rest: number, atOnce: number): Promise<number> {
    const lists = await Promise.all(this.engines.map(runningContainers));
    return this.onEach(this.engines.length, (engine, index) => {
      const kept = shareOf(rest, this.engines.length, index).length;
      const surplus = (lists[index] ?? []).slice(kept);
      return forEachConcurrently(surplus, atOnce, ({ Id }) => remove(engine, Id));
    });
  }

  /** Seconds to kill one container of the first engine and to create and start another. */
  async restartOne(): Promise<number> {
    const engine = this.first();
    const [victim] = await runningContainers(engine);
    const seconds = await secondsOf(async () => {
      await engine.call('POST', `/containers/${victim?.Id}/kill?signal=KILL`);
      await this.startOne(engine);
    });
    await remove(engine, victim?.Id ?? '');
    return seconds;
  }

  /** Seconds to replace every running container by a new one, started first, `atOnce` of all at a time. */
  async replaceAll(atOnce: number): Promise<number> {
    const lists = await Promise.all(this.engines.map(runningContainers));
    const all = lists.flatMap((list, index) => list.map(({ Id }) => ({ Id, engine: this.engines[index] })));
    return secondsOf(() =>
      forEachConcurrently(all, atOnce, async ({ Id, engine = this.first() }) => {
        await this.startOne(engine);
        await remove(engine, Id);
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.engines.map((engine) => engine.close()));
  }

  private first(): EngineApi {
    const [engine] = this.engines;
    if (!engine) throw new Error('The lab has no hosts');
    return engine;
  }

  private async startOne(engine: EngineApi): Promise<void> {
    const body = { Image: IMAGE, HostConfig: this.hostConfig };
    const { Id } = await engine.call<{ Id: string }>('POST', '/containers/create', body);
    await engine.call('POST', `/containers/${Id}/start`);
  }

  private onEach(engines: number, work: (engine: EngineApi, index: number) => Promise<void>): Promise<number> {
    return secondsOf(() => Promise.all(this.engines.slice(0, engines).map(work)));
  }
}

function remove(engine: EngineApi, id: string): Promise<unknown> {
  return engine.call('DELETE', `/containers/${id}?force=1`);
}

/** As many items as the `index`th of `parts` gets of `count`. */
function shareOf(count: number, parts: number, index: number): readonly number[] {
  const size = Math.floor(count / parts) + (index < count % parts ? 1 : 0);
  return Array.from({ length: size }, (_, item) => item);
}
