/** Probes the running containers of this node whose services ask for it, and shows containers as the probes see them. */
import { LIVENESS_LABEL, type Probe, parseProbe, READINESS_LABEL } from '../../model/probe.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { AgentMetrics } from '../agent-metrics.ts';
import type { ObservedContainer } from '../plan/observed-container.ts';
import type { ProbeClient } from './probe-client.ts';
import { judge, noVerdict, type ProbeVerdict } from './probe-verdict.ts';

export interface ProberParts {
  readonly client: ProbeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<AgentMetrics, 'probeFailures'>;
  /** Told when a verdict on a task's container turned. */
  readonly onVerdict: (taskId: string) => void;
}

type ProbeKind = 'readiness' | 'liveness';

interface ProbedContainer {
  readonly taskId: string;
  readonly ended: AbortController;
  readonly verdicts: Map<ProbeKind, ProbeVerdict>;
}

const labels: readonly (readonly [ProbeKind, string])[] = [
  ['readiness', READINESS_LABEL],
  ['liveness', LIVENESS_LABEL],
];

export class Probers {
  private readonly parts: ProberParts;
  /** By container. */
  private readonly probed = new Map<string, ProbedContainer>();

  constructor(parts: ProberParts) {
    this.parts = parts;
  }

  /** Begins with containers of a task that run now, ends with those that run no more. */
  follow(record: TaskRecord, containers: readonly ObservedContainer[]): void {
    const probes = probesOf(record);
    const running = containers.filter(({ phase }) => phase === 'running' && record.desired === 'running');
    for (const [id, { taskId, ended }] of this.probed) {
      if (taskId !== record.id || running.some((container) => container.id === id)) continue;
      ended.abort();
      this.probed.delete(id);
    }
    if (probes.length === 0) return;
    for (const container of running) if (!this.probed.has(container.id)) this.begin(record, container, probes);
  }

  /** The container as engine and probes see it together. */
  view(container: ObservedContainer): ObservedContainer {
    const verdicts = this.probed.get(container.id)?.verdicts;
    if (verdicts === undefined || container.phase !== 'running') return container;
    const readiness = verdicts.get('readiness');
    const liveness = verdicts.get('liveness');
    return {
      ...container,
      ...(readiness && { readiness: readiness.verdict, unreadyBecause: readiness.why }),
      ...(liveness?.verdict === 'failing' && {
        health: 'unhealthy' as const,
        unhealthyBecause: `liveness probe: ${liveness.why}`,
      }),
    };
  }

  stop(): void {
    for (const { ended } of this.probed.values()) ended.abort();
    this.probed.clear();
  }

  private begin(
    record: TaskRecord,
    container: ObservedContainer,
    probes: readonly (readonly [ProbeKind, Probe])[],
  ): void {
    const probed: ProbedContainer = { taskId: record.id, ended: new AbortController(), verdicts: new Map() };
    this.probed.set(container.id, probed);
    for (const [kind, probe] of probes) {
      probed.verdicts.set(kind, noVerdict);
      void this.run(kind, probe, container, probed);
    }
  }

  /** Ends with the container. */
  private async run(
    kind: ProbeKind,
    probe: Probe,
    container: ObservedContainer,
    probed: ProbedContainer,
  ): Promise<void> {
    const { clock, client } = this.parts;
    const { signal } = probed.ended;
    const pause = (waitMs: number) => clock.sleep(waitMs, signal).catch(() => undefined);
    await pause(probe.initialDelayMs);
    while (!signal.aborted) {
      const startedAtMs = clock.elapsedMs();
      const result = await client(container, probe);
      if (signal.aborted) return;
      if (!result.ok) this.parts.metrics.probeFailures.inc({ probe: kind });
      this.judged(kind, judge(probed.verdicts.get(kind) ?? noVerdict, result, probe), container, probed);
      await pause(Math.max(0, startedAtMs + probe.periodMs - clock.elapsedMs()));
    }
  }

  private judged(kind: ProbeKind, now: ProbeVerdict, { name }: ObservedContainer, probed: ProbedContainer): void {
    const before = probed.verdicts.get(kind);
    probed.verdicts.set(kind, now);
    if (before?.verdict === now.verdict) return;
    const { taskId } = probed;
    if (now.verdict === 'failing') this.parts.log.warn({ taskId, name, probe: kind, why: now.why }, 'a probe fails');
    this.parts.onVerdict(taskId);
  }
}

function probesOf({ serviceLabels }: TaskRecord): (readonly [ProbeKind, Probe])[] {
  return labels.flatMap(([kind, label]) => {
    const probe = parseProbe(serviceLabels[label] ?? '');
    return probe ? [[kind, probe] as const] : [];
  });
}
