/** The few Engine API calls the benchmark makes, the same ones to a bare engine, to Swarm and to Plimsoll. */
import { Agent, request } from 'undici';

export interface TaskRow {
  readonly ID: string;
  readonly NodeID?: string;
  readonly Status: { readonly State: string };
  readonly DesiredState: string;
  readonly Spec: { readonly ContainerSpec: { readonly Env?: readonly string[] } };
}

export interface ServiceRow {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: Record<string, unknown>;
  readonly UpdateStatus?: { readonly State: string };
}

export class EngineApi {
  private readonly agent: Agent;

  constructor(socketPath: string) {
    this.agent = new Agent({ connect: { socketPath }, connections: 16, headersTimeout: 120_000 });
  }

  /** One call; throws with the engine's message from status 400 on. */
  async call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const response = await request(`http://engine/v1.41${path}`, {
      method,
      dispatcher: this.agent,
      ...(payload === undefined ? {} : { body: payload, headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.body.text();
    if (response.statusCode >= 400) throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
    return (text.trim() === '' ? undefined : JSON.parse(text)) as T;
  }

  /** The bytes of an answer that need not end before the signal aborts. */
  async *stream(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const url = `http://engine/v1.41${path}`;
    const { statusCode, body } = await request(url, { dispatcher: this.agent, signal, bodyTimeout: 0 });
    if (statusCode >= 400) throw new Error(`GET ${path}: ${statusCode} ${(await body.text()).slice(0, 300)}`);
    yield* body;
  }

  async runningTasks(service: string): Promise<readonly TaskRow[]> {
    const filters = encodeURIComponent(JSON.stringify({ service: [service], 'desired-state': ['running'] }));
    const tasks = await this.call<readonly TaskRow[]>('GET', `/tasks?filters=${filters}`);
    return tasks.filter((task) => task.Status.State === 'running');
  }

  createService(spec: unknown): Promise<{ ID: string }> {
    return this.call('POST', '/services/create', spec);
  }

  service(name: string): Promise<ServiceRow> {
    return this.call('GET', `/services/${name}`);
  }

  async updateService(name: string, change: (spec: Record<string, unknown>) => unknown): Promise<void> {
    const service = await this.service(name);
    await this.call('POST', `/services/${service.ID}/update?version=${service.Version.Index}`, change(service.Spec));
  }

  containers(): Promise<readonly { readonly Id: string; readonly Labels: Record<string, string> }[]> {
    return this.call('GET', '/containers/json?all=1');
  }

  runningContainers(): Promise<readonly unknown[]> {
    return this.call('GET', '/containers/json');
  }

  close(): Promise<void> {
    return this.agent.close();
  }
}
