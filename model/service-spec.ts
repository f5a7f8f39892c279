/**
 * The wish a user states: Swarm's ServiceSpec in the Engine API's own vocabulary and spelling, so that what a client
 * wrote is what it reads back. Durations are nanoseconds, CPUs are 1e-9 of a core, sizes are bytes.
 * Unknown fields are refused by name; `null` means absent (clients written in Go send it), see `dropNulls`.
 */
import { z } from 'zod';
import { Privileges } from './privileges.ts';

const Count = z.int().min(0);
const Labels = z.record(z.string(), z.string());

export const PortConfig = z.strictObject({
  Name: z.string().optional(),
  Protocol: z.enum(['tcp', 'udp', 'sctp']).default('tcp'),
  TargetPort: z.int().min(1).max(65535),
  PublishedPort: z.int().min(0).max(65535).optional(),
  PublishMode: z.enum(['ingress', 'host']).default('ingress'),
});
export type PortConfig = z.infer<typeof PortConfig>;

export const EndpointSpec = z.strictObject({
  Mode: z.enum(['vip', 'dnsrr', '']).optional(),
  Ports: z.array(PortConfig).optional(),
});
export type EndpointSpec = z.infer<typeof EndpointSpec>;

export const HealthConfig = z.strictObject({
  Test: z.array(z.string()).optional(),
  Interval: z.int().optional(),
  Timeout: z.int().optional(),
  StartPeriod: z.int().optional(),
  StartInterval: z.int().optional(),
  Retries: z.int().optional(),
});
export type HealthConfig = z.infer<typeof HealthConfig>;

export const Mount = z.strictObject({
  Type: z.enum(['bind', 'volume', 'tmpfs', 'npipe', 'cluster', 'image']),
  Source: z.string().optional(),
  Target: z.string().optional(),
  ReadOnly: z.boolean().optional(),
  Consistency: z.string().optional(),
  BindOptions: z
    .strictObject({
      Propagation: z.string().optional(),
      NonRecursive: z.boolean().optional(),
      CreateMountpoint: z.boolean().optional(),
      ReadOnlyNonRecursive: z.boolean().optional(),
      ReadOnlyForceRecursive: z.boolean().optional(),
    })
    .optional(),
  VolumeOptions: z
    .strictObject({
      NoCopy: z.boolean().optional(),
      Labels: Labels.optional(),
      Subpath: z.string().optional(),
      DriverConfig: z.strictObject({ Name: z.string().optional(), Options: Labels.optional() }).optional(),
    })
    .optional(),
  TmpfsOptions: z
    .strictObject({
      SizeBytes: Count.optional(),
      Mode: Count.optional(),
      Options: z.array(z.array(z.string())).optional(),
    })
    .optional(),
  ClusterOptions: z.unknown().optional(),
  ImageOptions: z.unknown().optional(),
});
export type Mount = z.infer<typeof Mount>;

const FileTarget = z.strictObject({ Name: z.string(), UID: z.string(), GID: z.string(), Mode: Count });

export const SecretReference = z.strictObject({
  File: FileTarget.optional(),
  SecretID: z.string(),
  SecretName: z.string(),
});
export const ConfigReference = z.strictObject({
  File: FileTarget.optional(),
  Runtime: z.unknown().optional(),
  ConfigID: z.string(),
  ConfigName: z.string(),
});

export const ContainerSpec = z.strictObject({
  Image: z.string('image reference must be provided').min(1, 'image reference must be provided'),
  Labels: Labels.optional(),
  Command: z.array(z.string()).optional(),
  Args: z.array(z.string()).optional(),
  Hostname: z.string().optional(),
  Env: z.array(z.string()).optional(),
  Dir: z.string().optional(),
  User: z.string().optional(),
  Groups: z.array(z.string()).optional(),
  Privileges: Privileges.optional(),
  TTY: z.boolean().optional(),
  OpenStdin: z.boolean().optional(),
  ReadOnly: z.boolean().optional(),
  Mounts: z.array(Mount).optional(),
  StopSignal: z.string().optional(),
  StopGracePeriod: Count.optional(),
  Healthcheck: HealthConfig.optional(),
  Hosts: z.array(z.string()).optional(),
  DNSConfig: z
    .strictObject({
      Nameservers: z.array(z.string()).optional(),
      Search: z.array(z.string()).optional(),
      Options: z.array(z.string()).optional(),
    })
    .optional(),
  Secrets: z.array(SecretReference).optional(),
  Configs: z.array(ConfigReference).optional(),
  Isolation: z.string().optional(),
  Init: z.boolean().optional(),
  Sysctls: Labels.optional(),
  CapabilityAdd: z.array(z.string()).optional(),
  CapabilityDrop: z.array(z.string()).optional(),
  Ulimits: z.array(z.strictObject({ Name: z.string(), Hard: z.int(), Soft: z.int() })).optional(),
  OomScoreAdj: z.int().min(-1000).max(1000).optional(),
});
export type ContainerSpec = z.infer<typeof ContainerSpec>;

/** As the engine lists generic resources: some of a kind, or one with a name. Go leaves a number of 0 out. */
export const ListedGenericResource = z.strictObject({
  NamedResourceSpec: z.strictObject({ Kind: z.string(), Value: z.string() }).optional(),
  DiscreteResourceSpec: z.strictObject({ Kind: z.string(), Value: z.int().optional() }).optional(),
});
export type ListedGenericResource = z.infer<typeof ListedGenericResource>;

export const ResourceRequirements = z.strictObject({
  Limits: z
    .strictObject({ NanoCPUs: Count.optional(), MemoryBytes: Count.optional(), Pids: z.int().min(-1).optional() })
    .optional(),
  Reservations: z
    .strictObject({
      NanoCPUs: Count.optional(),
      MemoryBytes: Count.optional(),
      GenericResources: z.array(ListedGenericResource).optional(),
    })
    .optional(),
  SwapBytes: z.int().optional(),
  MemorySwappiness: z.int().optional(),
});
export type ResourceRequirements = z.infer<typeof ResourceRequirements>;

export const RestartPolicy = z.strictObject({
  Condition: z.enum(['none', 'on-failure', 'any', '']).optional(),
  Delay: Count.optional(),
  MaxAttempts: Count.optional(),
  Window: Count.optional(),
});
export type RestartPolicy = z.infer<typeof RestartPolicy>;

export const Placement = z.strictObject({
  Constraints: z.array(z.string()).optional(),
  Preferences: z
    .array(z.strictObject({ Spread: z.strictObject({ SpreadDescriptor: z.string() }).optional() }))
    .optional(),
  MaxReplicas: Count.optional(),
  Platforms: z.array(z.strictObject({ Architecture: z.string().optional(), OS: z.string().optional() })).optional(),
});
export type Placement = z.infer<typeof Placement>;

export const NetworkAttachment = z.strictObject({
  Target: z.string(),
  Aliases: z.array(z.string()).optional(),
  DriverOpts: Labels.optional(),
});
export type NetworkAttachment = z.infer<typeof NetworkAttachment>;

export const TaskTemplate = z.strictObject({
  ContainerSpec: ContainerSpec,
  Resources: ResourceRequirements.optional(),
  RestartPolicy: RestartPolicy.optional(),
  Placement: Placement.optional(),
  Networks: z.array(NetworkAttachment).optional(),
  LogDriver: z.strictObject({ Name: z.string().optional(), Options: Labels.optional() }).optional(),
  ForceUpdate: Count.optional(),
  Runtime: z.enum(['container', '']).optional(),
});
export type TaskTemplate = z.infer<typeof TaskTemplate>;

export const UpdateConfig = z.strictObject({
  Parallelism: Count.optional(),
  Delay: Count.optional(),
  FailureAction: z.enum(['pause', 'continue', 'rollback', '']).optional(),
  Monitor: Count.optional(),
  MaxFailureRatio: z.number().min(0).max(1).optional(),
  Order: z.enum(['stop-first', 'start-first', '']).optional(),
});
export type UpdateConfig = z.infer<typeof UpdateConfig>;

export const ServiceMode = z.strictObject({
  Replicated: z.strictObject({ Replicas: Count.optional() }).optional(),
  Global: z.strictObject({}).optional(),
  ReplicatedJob: z.strictObject({ MaxConcurrent: Count.optional(), TotalCompletions: Count.optional() }).optional(),
  GlobalJob: z.strictObject({}).optional(),
});
export type ServiceMode = z.infer<typeof ServiceMode>;

export const ServiceSpec = z.strictObject({
  Name: z.string(),
  Labels: Labels.optional(),
  TaskTemplate: TaskTemplate,
  Mode: ServiceMode.optional(),
  UpdateConfig: UpdateConfig.optional(),
  RollbackConfig: UpdateConfig.optional(),
  /** Deprecated twin of TaskTemplate.Networks, still sent by old clients. */
  Networks: z.array(NetworkAttachment).optional(),
  EndpointSpec: EndpointSpec.optional(),
});
export type ServiceSpec = z.infer<typeof ServiceSpec>;

/** A copy of parsed JSON without `null` members of objects: Go clients write `null` where they mean "not set". */
export function dropNulls(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(dropNulls);
  if (json === null || typeof json !== 'object') return json;
  const kept = Object.entries(json).filter(([, value]) => value !== null);
  return Object.fromEntries(kept.map(([key, value]) => [key, dropNulls(value)]));
}
