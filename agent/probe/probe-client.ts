/** Looks at a container once: an HTTP answer, an open port, a command's exit code. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { z } from 'zod';
import type { Probe, ProbeTarget } from '../../model/probe.ts';
import type { Clock } from '../../runtime/clock.ts';
import { messageOf, PlimsollError } from '../../runtime/errors.ts';
import { probeTcp } from '../../runtime/tcp-probe.ts';
import type { EngineCalls } from '../engine/engine-calls.ts';
import type { ProbeResult } from './probe-verdict.ts';

export interface ProbedContainer {
  readonly id: string;
  /** Where its ports are; undefined for one without a network. */
  readonly address: string | undefined;
}

/** Never throws: what cannot be asked has failed. */
export type ProbeClient = (container: ProbedContainer, probe: Probe) => Promise<ProbeResult>;

const EXEC_POLL_MS = 50;

export function createProbeClient(engine: EngineCalls, clock: Clock): ProbeClient {
  const commands = new CommandProbes(engine, clock);
  return async (container, probe) => {
    const { address } = container;
    const { target, timeoutMs } = probe;
    try {
      if (target.kind === 'exec') return await commands.look(container, target.command, timeoutMs);
      if (address === undefined) return { ok: false, why: 'the container has no address on this node' };
      if (target.kind === 'http') return await httpResult(address, target, timeoutMs);
      const { reachable, error = 'no answer' } = await probeTcp({ address, port: target.port, timeoutMs });
      return reachable ? { ok: true } : { ok: false, why: `TCP port ${target.port}: ${error}` };
    } catch (error) {
      return { ok: false, why: messageOf(error) };
    }
  };
}

/** Statuses from 200 to 399 are good, redirects are not followed, certificates not checked: as the kubelet does. */
function httpResult(
  host: string,
  { scheme, port, path }: Extract<ProbeTarget, { kind: 'http' }>,
  timeoutMs: number,
): Promise<ProbeResult> {
  const request = scheme === 'https' ? httpsRequest : httpRequest;
  const headers = { 'User-Agent': 'plimsoll-probe', Connection: 'close' };
  return new Promise((resolve) => {
    const fail = (why: string) => resolve({ ok: false, why: `${scheme}://:${port}${path}: ${why}` });
    const asked = request({ host, port, path, headers, agent: false, rejectUnauthorized: false }, (response) => {
      const { statusCode = 0 } = response;
      response.destroy();
      if (statusCode >= 200 && statusCode < 400) resolve({ ok: true });
      else fail(`HTTP status ${statusCode}`);
    });
    const timer = setTimeout(() => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    asked.on('error', (error) => fail(messageOf(error)));
    asked.once('close', () => {
      clearTimeout(timer);
      // Some answers, a change of protocols for one, end the request without a word.
      fail('the connection was closed without an answer');
    });
    asked.end();
  });
}

const CreateReply = z.object({ Id: z.string() });
const InspectReply = z.object({ Running: z.boolean(), ExitCode: z.number().nullable() });

/**
 * Commands inside containers. One that takes too long has failed; the engine has no way to end it, it runs on by itself,
 * and until it has ended the container gets no second one beside it.
 */
class CommandProbes {
  private readonly engine: EngineCalls;
  private readonly clock: Clock;
  /** Ids of what ran on, by container and command. */
  private readonly overdue = new WeakMap<ProbedContainer, Map<string, string>>();

  constructor(engine: EngineCalls, clock: Clock) {
    this.engine = engine;
    this.clock = clock;
  }

  async look(container: ProbedContainer, command: readonly string[], timeoutMs: number): Promise<ProbeResult> {
    const untilMs = this.clock.elapsedMs() + timeoutMs;
    const deadlineMs = Math.max(timeoutMs, 1_000);
    const words = `"${command.join(' ')}"`;
    const overdue = this.overdueIn(container);
    const before = overdue.get(words);
    if (before !== undefined && (await this.runs(before, deadlineMs))) {
      return { ok: false, why: `${words} of an earlier probe has not ended yet` };
    }
    overdue.delete(words);
    const id = await this.start(container.id, command, deadlineMs);
    for (;;) {
      const seen = await this.inspect(id, deadlineMs);
      if (!seen.Running && seen.ExitCode === 0) return { ok: true };
      if (!seen.Running && seen.ExitCode !== null) return { ok: false, why: `${words} ended with ${seen.ExitCode}` };
      if (this.clock.elapsedMs() >= untilMs) {
        overdue.set(words, id);
        return { ok: false, why: `${words} took more than ${timeoutMs} ms` };
      }
      await this.clock.sleep(EXEC_POLL_MS);
    }
  }

  private overdueIn(container: ProbedContainer): Map<string, string> {
    const known = this.overdue.get(container) ?? new Map<string, string>();
    this.overdue.set(container, known);
    return known;
  }

  private async start(containerId: string, command: readonly string[], deadlineMs: number): Promise<string> {
    const create = { method: 'POST', path: `/containers/${containerId}/exec`, body: { Cmd: command } } as const;
    const { Id } = await this.engine.call({ ...create, deadlineMs }, CreateReply);
    const start = { method: 'POST', path: `/exec/${Id}/start`, body: { Detach: true } } as const;
    await this.engine.call({ ...start, deadlineMs }, z.unknown());
    return Id;
  }

  private inspect(id: string, deadlineMs: number): Promise<z.infer<typeof InspectReply>> {
    return this.engine.call({ method: 'GET', path: `/exec/${id}/json`, deadlineMs }, InspectReply);
  }

  /** An engine that was started anew has forgotten it. */
  private async runs(id: string, deadlineMs: number): Promise<boolean> {
    try {
      return (await this.inspect(id, deadlineMs)).Running;
    } catch (error) {
      if (error instanceof PlimsollError && error.code === 'not-found') return false;
      throw error;
    }
  }
}
