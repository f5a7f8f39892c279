/** What really runs: the containers of a cluster as the engines of its hosts list them, asked for without a CLI in between. */
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { containerLabels } from '../../model/labels.ts';
import type { Lab } from './lab.ts';

/** A frozen engine does not answer: not asked for longer than this. */
const ANSWER_MS = 2_000;

export interface LabContainer {
  readonly host: string;
  readonly id: string;
  readonly service: string;
  /** `web.1`, or `all.<node id>`. */
  readonly slot: string;
  readonly revision: number;
  readonly running: boolean;
}

/** One answer of one engine. */
export interface EngineSample {
  readonly host: string;
  /** When it was asked, on the clock of `performance.now()`. */
  readonly atMs: number;
  readonly containers: readonly LabContainer[];
}

const Listed = z.array(
  z.object({ Id: z.string(), Names: z.array(z.string()), Labels: z.record(z.string(), z.string()), State: z.string() }),
);
const Inspected = z.object({ State: z.object({ StartedAt: z.string(), Pid: z.int() }) });

/** The JSON answers of a Docker API on a Unix socket; throws when it does not answer in time, or with an error. */
export class SocketApi {
  private readonly agent: Agent;

  constructor(socketPath: string) {
    const times = { headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS };
    this.agent = new Agent({ connect: { socketPath, timeout: ANSWER_MS }, connections: 4, ...times });
  }

  async get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const response = await request(`http://engine${path}`, { dispatcher: this.agent });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
    return schema.parse(JSON.parse(text));
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

export class LabEngines {
  private readonly engines: ReadonlyMap<string, SocketApi>;

  constructor(lab: Lab) {
    this.engines = new Map(lab.hosts.map(({ name, engineSocket }) => [name, new SocketApi(engineSocket)]));
  }

  get hosts(): readonly string[] {
    return [...this.engines.keys()];
  }

  /** What an engine lists, exited containers too. */
  async sample(host: string): Promise<EngineSample> {
    const filters = encodeURIComponent(JSON.stringify({ label: [containerLabels.task] }));
    const atMs = performance.now();
    const listed = await this.engine(host).get(`/containers/json?all=1&filters=${filters}`, Listed);
    return { host, atMs, containers: listed.map((each) => shown(host, each)) };
  }

  /** What all engines list now; throws when one does not answer. */
  async containers(): Promise<readonly LabContainer[]> {
    const samples = await Promise.all(this.hosts.map((host) => this.sample(host)));
    return samples.flatMap((sample) => sample.containers);
  }

  /** Tells one run of a container from every other. */
  async runOf({ host, id }: LabContainer): Promise<string> {
    const { State } = await this.engine(host).get(`/containers/${id}/json`, Inspected);
    return `${id} since ${State.StartedAt} as process ${State.Pid}`;
  }

  /** Asks every engine over and over until the signal aborts; one that does not answer is passed over. */
  async follow(intervalMs: number, take: (sample: EngineSample) => void, signal: AbortSignal): Promise<void> {
    await Promise.all(this.hosts.map((host) => this.followHost(host, intervalMs, take, signal)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.engines.values()].map((engine) => engine.close()));
  }

  private async followHost(
    host: string,
    intervalMs: number,
    take: (sample: EngineSample) => void,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      const sample = await this.sample(host).catch(() => undefined);
      if (sample !== undefined) take(sample);
      await delay(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private engine(host: string): SocketApi {
    const engine = this.engines.get(host);
    if (engine === undefined) throw new Error(`There is no host ${host}`);
    return engine;
  }
}

function shown(host: string, { Id, Names, Labels, State }: z.infer<typeof Listed>[number]): LabContainer {
  const name = (Names[0] ?? '').replace(/^\//, '');
  return {
    host,
    id: Id,
    service: Labels[containerLabels.swarmServiceName] ?? '',
    slot: name.slice(0, name.lastIndexOf('.')),
    revision: Number(Labels[containerLabels.revision]),
    running: State === 'running',
  };
}
