/** The flags of `docker service create`. */
import { expect } from 'vitest';
import { desiredReplicas, restartRules, stopGracePeriodMs, updateRules } from '../../../model/service-defaults.ts';
import type { ServiceSpec, TaskTemplate } from '../../../model/service-spec.ts';
import { config, container, genericReservations, mountAt, type Row } from './row.ts';

const contains = (...values: unknown[]): unknown => expect.arrayContaining(values);
const like = (value: Record<string, unknown>): unknown => expect.objectContaining(value);
/** Everything named at any depth; more may be there. */
function deeplyLike(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  return like(Object.fromEntries(Object.entries(value).map(([key, part]) => [key, deeplyLike(part)])));
}
const restart = (spec: ServiceSpec) => restartRules(spec.TaskTemplate.RestartPolicy);
const template = (read: (template: TaskTemplate) => unknown) => (spec: ServiceSpec) => read(spec.TaskTemplate);

/** The kinds of what a service reserves that Docker has no word for. */
export function genericKinds({ TaskTemplate: { Resources } }: ServiceSpec): unknown {
  return Resources?.Reservations?.GenericResources?.map(({ DiscreteResourceSpec }) => DiscreteResourceSpec?.Kind);
}

const processRows: readonly Row[] = [
  {
    flag: '--env',
    fields: container('Env[]'),
    given: ['--env', 'WHO={{.Service.Name}}.{{.Task.Slot}} {{index .Node.Labels "zone"}}'],
    proof: { inside: 'echo $WHO', prints: 'main.1 east' },
  },
  {
    flag: '--env-file',
    fields: container('Env[]'),
    given: ['--env-file', '%dir%/variables'],
    proof: { inside: 'echo $FROM_FILE', prints: 'yes' },
  },
  {
    flag: '--hostname',
    fields: container('Hostname'),
    given: ['--hostname', '{{join "-" .Service.Name .Task.Slot}}'],
    proof: { inside: 'cat /etc/hostname', prints: 'main-1' },
  },
  {
    flag: '--entrypoint',
    fields: container('Command[]', 'Args[]'),
    given: ['--entrypoint', 'sleep'],
    proof: { seen: ({ Config }) => [Config['Entrypoint'], Config['Cmd']], is: [['sleep'], ['1000000']] },
  },
  {
    flag: '--workdir',
    fields: container('Dir'),
    given: ['--workdir', '/scratch'],
    proof: { inside: 'echo $PWD', prints: '/scratch' },
  },
  {
    flag: '--user',
    fields: container('User'),
    given: ['--user', '0:7'],
    proof: { seen: config('Config.User'), is: '0:7' },
  },
  {
    flag: '--group',
    fields: container('Groups[]'),
    given: ['--group', '99'],
    proof: { seen: config('HostConfig.GroupAdd'), is: ['99'] },
  },
  {
    flag: '--tty',
    fields: container('TTY'),
    given: ['--tty'],
    proof: { inside: 'test -c /dev/console && echo yes', prints: 'yes' },
  },
  {
    flag: '--init',
    fields: container('Init'),
    given: ['--init'],
    proof: { inside: 'cat /proc/1/comm', prints: 'docker-init' },
  },
  {
    flag: '--stop-signal',
    fields: container('StopSignal'),
    given: ['--stop-signal', 'SIGKILL'],
    proof: { seen: config('Config.StopSignal'), is: 'SIGKILL' },
  },
  {
    flag: '--stop-grace-period',
    fields: container('StopGracePeriod'),
    given: ['--stop-grace-period', '1500ms'],
    proof: { rule: template(stopGracePeriodMs), is: 1500 },
  },
  {
    flag: '--container-label',
    fields: container('Labels'),
    given: ['--container-label', 'colour=red'],
    proof: { seen: config('Config.Labels'), is: like({ colour: 'red' }) },
  },
  {
    flag: '--label',
    fields: ['Labels'],
    given: ['--label', 'tier=front'],
    proof: { rule: (spec) => spec.Labels, is: { tier: 'front' } },
  },
  {
    flag: '--name',
    fields: ['Name'],
    proof: { seen: config('Config.Labels'), is: like({ 'com.docker.swarm.service.name': 'main' }) },
  },
];

const hostRows: readonly Row[] = [
  {
    flag: '--read-only',
    fields: container('ReadOnly'),
    given: ['--read-only'],
    proof: { inside: 'touch /x 2>/dev/null || echo refused', prints: 'refused' },
  },
  {
    flag: '--cap-add',
    fields: container('CapabilityAdd[]'),
    given: ['--cap-add', 'NET_ADMIN'],
    proof: { seen: config('HostConfig.CapAdd'), is: ['CAP_NET_ADMIN'] },
  },
  {
    flag: '--cap-drop',
    fields: container('CapabilityDrop[]'),
    given: ['--cap-drop', 'MKNOD'],
    proof: { seen: config('HostConfig.CapDrop'), is: ['CAP_MKNOD'] },
  },
  {
    flag: '--sysctl',
    fields: container('Sysctls'),
    given: ['--sysctl', 'net.ipv4.ip_local_port_range=2000 3000'],
    proof: { inside: 'cat /proc/sys/net/ipv4/ip_local_port_range', prints: '2000\t3000' },
  },
  {
    flag: '--ulimit',
    fields: container('Ulimits[].Name', 'Ulimits[].Soft', 'Ulimits[].Hard'),
    given: ['--ulimit', 'nofile=100:200'],
    proof: { inside: 'ulimit -Sn; ulimit -Hn', prints: '100\n200' },
  },
  {
    flag: '--oom-score-adj',
    fields: container('OomScoreAdj'),
    given: ['--oom-score-adj', '321'],
    proof: { inside: 'cat /proc/1/oom_score_adj', prints: '321' },
  },
  {
    flag: '--host',
    fields: container('Hosts[]'),
    given: ['--host', 'db:10.0.0.9'],
    proof: { seen: config('HostConfig.ExtraHosts'), is: ['db:10.0.0.9'] },
  },
  {
    flag: '--dns',
    fields: container('DNSConfig.Nameservers[]'),
    given: ['--dns', '9.9.9.9'],
    proof: { seen: config('HostConfig.Dns'), is: ['9.9.9.9'] },
  },
  {
    flag: '--dns-search',
    fields: container('DNSConfig.Search[]'),
    given: ['--dns-search', 'example.org'],
    proof: { seen: config('HostConfig.DnsSearch'), is: ['example.org'] },
  },
  {
    flag: '--dns-option',
    fields: container('DNSConfig.Options[]'),
    given: ['--dns-option', 'ndots:2'],
    proof: { seen: config('HostConfig.DnsOptions'), is: ['ndots:2'] },
  },
  {
    flag: '--log-driver',
    fields: ['TaskTemplate.LogDriver.Name'],
    given: ['--log-driver', 'json-file'],
    proof: { seen: config('HostConfig.LogConfig.Type'), is: 'json-file' },
  },
  {
    flag: '--log-opt',
    fields: ['TaskTemplate.LogDriver.Options'],
    given: ['--log-opt', 'max-size=1m'],
    proof: { seen: config('HostConfig.LogConfig.Config'), is: { 'max-size': '1m' } },
  },
  {
    flag: '--isolation',
    fields: container('Isolation'),
    given: ['--isolation', 'hyperv'],
    proof: { refused: 'TaskTemplate.ContainerSpec.Isolation' },
  },
  {
    flag: '--credential-spec',
    fields: ['Config', 'File', 'Registry'].map((name) => `${container('Privileges.CredentialSpec')[0]}.${name}`),
    given: ['--credential-spec', 'file://x'],
    proof: { refused: 'TaskTemplate.ContainerSpec.Privileges.CredentialSpec' },
  },
];

const mounts = (...names: readonly string[]): string[] => container(...names.map((name) => `Mounts[].${name}`));
const mountRow = (given: string, fields: readonly string[], target: string, is: Record<string, unknown>): Row => ({
  flag: '--mount',
  fields,
  given: ['--mount', given],
  proof: { seen: mountAt(target), is: deeplyLike(is) },
});

const mountRows: readonly Row[] = [
  mountRow(
    'type=tmpfs,target=/scratch,tmpfs-size=1000000,tmpfs-mode=1777',
    mounts('Type', 'Target', 'TmpfsOptions.SizeBytes', 'TmpfsOptions.Mode'),
    '/scratch',
    { Type: 'tmpfs', TmpfsOptions: { SizeBytes: 1_000_000, Mode: 0o1777 } },
  ),
  mountRow(
    'type=volume,source=of-{{.Service.Name}},target=/data,readonly,volume-nocopy=true,volume-label=of={{.Task.Slot}},volume-driver=local,volume-opt=type=tmpfs,volume-opt=device=tmpfs',
    mounts(
      'Source',
      'ReadOnly',
      'VolumeOptions.NoCopy',
      'VolumeOptions.Labels',
      'VolumeOptions.DriverConfig.Name',
      'VolumeOptions.DriverConfig.Options',
    ),
    '/data',
    {
      Source: 'of-main',
      ReadOnly: true,
      VolumeOptions: {
        NoCopy: true,
        Labels: { of: '1' },
        DriverConfig: { Name: 'local', Options: { type: 'tmpfs', device: 'tmpfs' } },
      },
    },
  ),
  mountRow('type=volume,source=parts,target=/part,volume-subpath=one', mounts('VolumeOptions.Subpath'), '/part', {
    VolumeOptions: { Subpath: 'one' },
  }),
  mountRow(
    'type=bind,source=/etc,target=/host,bind-propagation=rprivate,bind-recursive=disabled,consistency=cached',
    mounts('BindOptions.Propagation', 'BindOptions.NonRecursive', 'Consistency'),
    '/host',
    { Consistency: 'cached', BindOptions: { Propagation: 'rprivate', NonRecursive: true } },
  ),
  mountRow(
    'type=bind,source=/etc,target=/shallow,readonly,bind-recursive=writable',
    mounts('BindOptions.ReadOnlyNonRecursive'),
    '/shallow',
    { BindOptions: { ReadOnlyNonRecursive: true } },
  ),
  mountRow(
    'type=bind,source=/etc,target=/deep,readonly,bind-propagation=rprivate,bind-recursive=readonly',
    mounts('BindOptions.ReadOnlyForceRecursive'),
    '/deep',
    { BindOptions: { Propagation: 'rprivate', ReadOnlyForceRecursive: true } },
  ),
  {
    flag: '--mount',
    fields: mounts('ImageOptions.Subpath'),
    given: ['--mount', 'type=npipe,source=/a,target=/b'],
    proof: { refused: 'TaskTemplate.ContainerSpec.Mounts[0].Type' },
  },
];

const health = (name: string) => container(`HealthCheck.${name}`);
const healthRows: readonly Row[] = [
  {
    flag: '--health-cmd',
    fields: health('Test[]'),
    given: ['--health-cmd', 'true'],
    proof: { seen: config('Config.Healthcheck.Test'), is: ['CMD-SHELL', 'true'] },
  },
  ...(
    [
      ['--health-interval', 'Interval', '5s', 5e9],
      ['--health-timeout', 'Timeout', '4s', 4e9],
      ['--health-start-period', 'StartPeriod', '3s', 3e9],
      ['--health-start-interval', 'StartInterval', '100ms', 1e8],
      ['--health-retries', 'Retries', '7', 7],
    ] as const
  ).map(([flag, name, value, is]) => ({
    flag,
    fields: health(name),
    given: [flag, value],
    proof: { seen: config(`Config.Healthcheck.${name}`), is },
  })),
  {
    flag: '--no-healthcheck',
    fields: health('Test[]'),
    given: ['--no-healthcheck'],
    service: 'unchecked',
    proof: { seen: config('Config.Healthcheck.Test'), is: ['NONE'] },
  },
];

const resourceRows: readonly Row[] = [
  {
    flag: '--limit-cpu',
    fields: ['TaskTemplate.Resources.Limits.NanoCPUs'],
    given: ['--limit-cpu', '0.5'],
    proof: { seen: config('HostConfig.NanoCpus'), is: 5e8 },
  },
  {
    flag: '--limit-memory',
    fields: ['TaskTemplate.Resources.Limits.MemoryBytes'],
    given: ['--limit-memory', '64m'],
    proof: { seen: config('HostConfig.Memory'), is: 64 * 2 ** 20 },
  },
  {
    flag: '--limit-pids',
    fields: ['TaskTemplate.Resources.Limits.Pids'],
    given: ['--limit-pids', '99'],
    proof: { seen: config('HostConfig.PidsLimit'), is: 99 },
  },
  {
    flag: '--reserve-cpu',
    fields: ['TaskTemplate.Resources.Reservations.NanoCPUs'],
    given: ['--reserve-cpu', '0.1'],
    proof: { rule: template(({ Resources }) => Resources?.Reservations?.NanoCPUs), is: 1e8 },
  },
  {
    flag: '--reserve-memory',
    fields: ['TaskTemplate.Resources.Reservations.MemoryBytes'],
    given: ['--reserve-memory', '8m'],
    proof: { seen: config('HostConfig.MemoryReservation'), is: 8 * 2 ** 20 },
  },
  {
    flag: '--generic-resource',
    fields: ['Kind', 'Value'].map((name) => `${genericReservations}.DiscreteResourceSpec.${name}`),
    given: ['--generic-resource', 'gpu=2'],
    proof: { rule: genericKinds, is: ['gpu'] },
  },
];

const placementRows: readonly Row[] = [
  {
    flag: '--constraint',
    fields: ['TaskTemplate.Placement.Constraints[]'],
    given: ['--constraint', 'node.role!=nobody'],
    proof: { rule: template(({ Placement }) => Placement?.Constraints), is: ['node.role!=nobody'] },
  },
  {
    flag: '--placement-pref',
    fields: ['TaskTemplate.Placement.Preferences[].Spread.SpreadDescriptor'],
    given: ['--placement-pref', 'spread=node.labels.zone'],
    proof: {
      rule: template(({ Placement }) => Placement?.Preferences),
      is: [{ Spread: { SpreadDescriptor: 'node.labels.zone' } }],
    },
  },
  {
    flag: '--replicas-max-per-node',
    fields: ['TaskTemplate.Placement.MaxReplicas'],
    given: ['--replicas-max-per-node', '3'],
    proof: { rule: template(({ Placement }) => Placement?.MaxReplicas), is: 3 },
  },
  {
    flag: '--replicas',
    fields: ['Mode.Replicated.Replicas'],
    given: ['--replicas', '2'],
    proof: { rule: desiredReplicas, is: 2 },
  },
  {
    flag: '--mode',
    fields: ['Mode.Global'],
    given: ['--mode', 'global'],
    service: 'everywhere',
    proof: { rule: (spec) => spec.Mode, is: { Global: {} } },
  },
];

const restartRows: readonly Row[] = (
  [
    ['--restart-condition', 'Condition', 'on-failure', 'condition', 'on-failure'],
    ['--restart-delay', 'Delay', '2s', 'delayMs', 2000],
    ['--restart-max-attempts', 'MaxAttempts', '4', 'maxAttempts', 4],
    ['--restart-window', 'Window', '1m', 'windowMs', 60_000],
  ] as const
).map(([flag, name, value, rule, is]) => ({
  flag,
  fields: [`TaskTemplate.RestartPolicy.${name}`],
  given: [flag, value],
  proof: { rule: (spec: ServiceSpec) => restart(spec)[rule], is },
}));

const updateKnobs = [
  ['parallelism', 'Parallelism', '3', 'parallelism', 3],
  ['delay', 'Delay', '2s', 'delayMs', 2000],
  ['failure-action', 'FailureAction', 'continue', 'failureAction', 'continue'],
  ['monitor', 'Monitor', '7s', 'monitorMs', 7000],
  ['max-failure-ratio', 'MaxFailureRatio', '0.25', 'maxFailureRatio', 0.25],
  ['order', 'Order', 'start-first', 'order', 'start-first'],
] as const;

/** The six knobs of updates and of rollbacks; both commands have them. */
const rolloutRows: readonly Row[] = (['UpdateConfig', 'RollbackConfig'] as const).flatMap((section) =>
  updateKnobs.map(([knob, name, value, rule, is]): Row => {
    const flag = `--${section === 'UpdateConfig' ? 'update' : 'rollback'}-${knob}`;
    const read = (spec: ServiceSpec) => updateRules(spec[section])[rule];
    return { flag, fields: [`${section}.${name}`], given: [flag, value], proof: { rule: read, is } };
  }),
);

const endpointRows: readonly Row[] = [
  {
    flag: '--publish',
    fields: ['Protocol', 'TargetPort', 'PublishedPort', 'PublishMode'].map((name) => `EndpointSpec.Ports[].${name}`),
    given: ['--publish', 'published=18081,target=53,protocol=udp,mode=host'],
    proof: { seen: config('HostConfig.PortBindings'), is: { '53/udp': [{ HostIp: '', HostPort: '18081' }] } },
  },
  {
    flag: '--endpoint-mode',
    fields: ['EndpointSpec.Mode'],
    given: ['--endpoint-mode', 'dnsrr'],
    proof: { rule: (spec) => spec.EndpointSpec?.Mode, is: 'dnsrr' },
  },
];

const clientRows: readonly Row[] = [
  { flag: '--detach', fields: [], proof: { clientOnly: 'the CLI does not wait' } },
  { flag: '--quiet', fields: [], proof: { clientOnly: 'the CLI prints no progress' } },
  { flag: '--no-resolve-image', fields: [], proof: { clientOnly: 'the CLI does not ask a registry' } },
];

const secretsTest = 'test/integration/coordinator/docker-cli.test.ts: secret';

/** What has a test of its own. */
export const elsewhereRows: readonly Row[] = [
  ...(
    [
      ['--secret', ['File.Name', 'File.UID', 'File.GID', 'File.Mode', 'SecretID', 'SecretName'], 'Secrets[].'],
      ['--config', ['File.Name', 'File.UID', 'File.GID', 'File.Mode', 'ConfigID', 'ConfigName'], 'Configs[].'],
    ] as const
  ).map(([flag, names, list]) => ({
    flag,
    fields: container(...names.map((name) => `${list}${name}`)),
    proof: { elsewhere: secretsTest },
  })),
  {
    flag: '--network',
    fields: ['TaskTemplate.Networks', 'Networks'].flatMap((list) =>
      ['Target', 'Aliases[]', 'DriverOpts'].map((name) => `${list}[].${name}`),
    ),
    proof: { elsewhere: 'test/integration/coordinator/docker-cli.test.ts: --network' },
  },
  {
    flag: '--max-concurrent',
    fields: ['Mode.ReplicatedJob.MaxConcurrent', 'Mode.ReplicatedJob.TotalCompletions', 'Mode.GlobalJob'],
    proof: { elsewhere: 'test/integration/coordinator/docker-jobs.test.ts: --max-concurrent' },
  },
  {
    flag: '--with-registry-auth',
    fields: [],
    proof: { elsewhere: 'test/integration/coordinator/docker-api.test.ts: X-Registry-Auth' },
  },
];

export const createRows: readonly Row[] = [
  ...processRows,
  ...hostRows,
  ...mountRows,
  ...healthRows,
  ...resourceRows,
  ...placementRows,
  ...restartRows,
  ...rolloutRows,
  ...endpointRows,
  ...clientRows,
  ...elsewhereRows,
];

/** Used by the rows of `service update`, too. */
export { contains, like };
