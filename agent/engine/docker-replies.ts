/** The fields of Docker's replies we use, checked as they come in; 20.10 and 28 word some differently. */
import { z } from 'zod';
import { containerLabels } from '../../model/labels.ts';
import { HostPort } from '../../model/status-record.ts';
import type { ObservedContainer } from '../plan/observed-container.ts';

const Labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((labels) => labels ?? {});

export const CreateReply = z.object({ Id: z.string() });
export const VersionReply = z.object({ Version: z.string(), ApiVersion: z.string(), Os: z.string(), Arch: z.string() });
export const InfoReply = z.object({
  Name: z.string(),
  OSType: z.string(),
  Architecture: z.string(),
  NCPU: z.number(),
  MemTotal: z.number(),
  DockerRootDir: z.string(),
  LoggingDriver: z.string(),
  LiveRestoreEnabled: z.boolean(),
  Labels: z
    .array(z.string())
    .nullish()
    .transform((labels) => labels ?? []),
  Plugins: z.record(z.string(), z.array(z.string()).nullish()),
  GenericResources: z
    .array(
      z.object({
        NamedResourceSpec: z.object({ Kind: z.string(), Value: z.string() }).optional(),
        DiscreteResourceSpec: z.object({ Kind: z.string(), Value: z.int().optional() }).optional(),
      }),
    )
    .nullish()
    .transform((resources) => resources ?? []),
});

export const ListReply = z.array(z.looseObject({ Id: z.string() }));
/** A row of the list of containers, as far as it can stand in for an inspection. */
export const ListedReply = z.array(
  z.object({ Id: z.string(), Names: z.array(z.string()), Image: z.string(), Labels, State: z.string() }),
);
export type ListedRow = z.infer<typeof ListedReply>[number];
export const InspectRawReply = z.looseObject({ Id: z.string() });

const MAX_HEALTH_WORDS = 200;

const Health = z.enum(['none', 'starting', 'healthy', 'unhealthy']);
/** -1: it was not run to its end. */
const HealthCheckRun = z.object({ ExitCode: z.int(), Output: z.string() });

export const InspectReply = z.object({
  Id: z.string(),
  Name: z.string(),
  Config: z.object({ Image: z.string(), Labels }),
  State: z.object({
    Status: z.string(),
    Running: z.boolean(),
    OOMKilled: z.boolean(),
    Pid: z.int(),
    ExitCode: z.int(),
    Error: z.string(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
    Health: z.object({ Status: Health.or(z.literal('')), Log: z.array(HealthCheckRun).nullish() }).optional(),
  }),
  NetworkSettings: z.object({
    IPAddress: z.string().optional(),
    Networks: z.record(z.string(), z.object({ IPAddress: z.string() }).nullish()).nullish(),
    Ports: z.record(z.string(), z.array(z.object({ HostPort: z.string() })).nullish()).nullish(),
  }),
});
export type InspectReply = z.infer<typeof InspectReply>;

export const EventReply = z.object({
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: Labels }),
  timeNano: z.number(),
});

/** A line of a pull's progress. */
export const PullProgress = z.object({ error: z.string().optional() });

const OurLabels = z.object({
  [containerLabels.task]: z.string(),
  [containerLabels.service]: z.string(),
  [containerLabels.slot]: z.coerce.number().int(),
  [containerLabels.revision]: z.coerce.number().int(),
  [containerLabels.attempt]: z.coerce.number().int().min(1),
});

/** What the list knows of a container the engine cannot inspect: enough not to take it for absent. */
export function inspectionOfRow(row: ListedRow): InspectReply {
  const Running = row.State === 'running' || row.State === 'paused';
  return {
    Id: row.Id,
    Name: row.Names[0] ?? row.Id,
    Config: { Image: row.Image, Labels: row.Labels },
    State: {
      Status: row.State,
      Running,
      OOMKilled: false,
      Pid: 0,
      ExitCode: Running ? 0 : 255,
      Error: 'the engine cannot inspect this container',
      StartedAt: '',
      FinishedAt: '',
    },
    NetworkSettings: {},
  };
}

/** A container in the planner's words; undefined when its labels are not those of a task of ours. */
export function observedContainer(reply: InspectReply): ObservedContainer | undefined {
  const labels = OurLabels.safeParse(reply.Config.Labels);
  if (!labels.success) return undefined;
  const { State: state } = reply;
  const running = state.Running;
  return {
    id: reply.Id,
    name: reply.Name.replace(/^\//, ''),
    taskId: labels.data[containerLabels.task],
    serviceId: labels.data[containerLabels.service],
    slot: labels.data[containerLabels.slot],
    revision: labels.data[containerLabels.revision],
    attempt: labels.data[containerLabels.attempt],
    image: reply.Config.Image,
    labels: reply.Config.Labels,
    phase: phaseOf(reply),
    health: state.Health?.Status || 'none',
    ...(state.Health?.Status === 'unhealthy' && unhealthyWords(state.Health.Log?.at(-1))),
    pid: running && state.Pid > 0 ? state.Pid : undefined,
    address: running ? addressOf(reply) : undefined,
    hostPorts: running ? hostPortsOf(reply) : undefined,
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    error: state.Error,
    startedAtMs: timeMs(state.StartedAt),
    finishedAtMs: timeMs(state.FinishedAt),
  };
}

/** What the health check said last; the engine keeps the beginning of it. */
function unhealthyWords(last: z.infer<typeof HealthCheckRun> | undefined): { unhealthyBecause?: string } {
  if (last === undefined) return {};
  const said = last.Output.replace(/\s+/g, ' ').trim().slice(0, MAX_HEALTH_WORDS);
  const ended =
    last.ExitCode === -1 ? 'health check did not run to its end' : `health check ended with ${last.ExitCode}`;
  return { unhealthyBecause: said === '' ? ended : `${ended}: ${said}` };
}

function phaseOf({ State }: InspectReply): ObservedContainer['phase'] {
  if (State.Running) return 'running';
  return State.Status === 'created' ? 'created' : 'exited';
}

function addressOf({ NetworkSettings: settings }: InspectReply): string | undefined {
  const addresses = Object.values(settings.Networks ?? {}).map((network) => network?.IPAddress);
  return settings.IPAddress || addresses.find((address) => address) || undefined;
}

/** The engine keys them "80/tcp" and lists a binding per address family; undefined when there are none. */
function hostPortsOf({ NetworkSettings: settings }: InspectReply): HostPort[] | undefined {
  const ports = Object.entries(settings.Ports ?? {}).flatMap(([key, bindings]) => {
    const [targetPort, protocol] = key.split('/');
    const first = bindings?.[0];
    const port = HostPort.safeParse({
      protocol,
      targetPort: Number(targetPort),
      publishedPort: Number(first?.HostPort),
    });
    return port.success ? [port.data] : [];
  });
  return ports.length > 0 ? ports : undefined;
}

/** Docker writes "never" as the year 1. */
function timeMs(rfc3339: string): number | undefined {
  const ms = Date.parse(rfc3339);
  return ms > 0 ? ms : undefined;
}
