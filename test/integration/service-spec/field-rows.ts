/** Fields of the Engine API's ServiceSpec that no flag of the CLI sets. */
import type { ServiceSpec } from '../../../model/service-spec.ts';
import { config, container, genericReservations, mountAt, type Row } from './row.ts';

const leastContainer = { Image: 'plimsoll/test:1', Args: ['sleep', '1000000'], StopSignal: 'SIGKILL' };

/** A label that is switched off leaves no room for others. */
export const unlabelledService = {
  Name: 'unlabelled',
  TaskTemplate: { ContainerSpec: { ...leastContainer, Privileges: { SELinuxContext: { Disable: true } } } },
};

/** The service that says the rest. */
export const fieldService = {
  Name: 'fields',
  TaskTemplate: {
    ContainerSpec: {
      ...leastContainer,
      OpenStdin: true,
      Privileges: {
        SELinuxContext: { User: 'user', Role: 'role', Type: 'type', Level: 'level' },
        Seccomp: { Mode: 'custom', Profile: Buffer.from('{"defaultAction":"SCMP_ACT_ALLOW"}').toString('base64') },
        AppArmor: { Mode: 'disabled' },
        NoNewPrivileges: true,
      },
      Mounts: [
        { Type: 'bind', Source: '/tmp/plimsoll-made', Target: '/made', BindOptions: { CreateMountpoint: true } },
        { Type: 'tmpfs', Target: '/run', TmpfsOptions: { Options: [['noexec']] } },
      ],
    },
    Placement: { Platforms: [{ Architecture: 'x86_64', OS: 'linux' }] },
    Runtime: 'container',
  },
  EndpointSpec: {
    Ports: [{ Name: 'dns', Protocol: 'udp', TargetPort: 53, PublishedPort: 18_084, PublishMode: 'host' }],
  },
};

const options = config('HostConfig.SecurityOpt');
const privileges = (...names: readonly string[]): string[] => container(...names.map((name) => `Privileges.${name}`));
const securityOptions = [
  'label=user:user',
  'label=role:role',
  'label=level:level',
  'label=type:type',
  'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}',
  'apparmor=unconfined',
  'no-new-privileges=true',
];

export const fieldRows: readonly Row[] = [
  {
    fields: privileges(
      ...['User', 'Role', 'Type', 'Level'].map((name) => `SELinuxContext.${name}`),
      'Seccomp.Mode',
      'Seccomp.Profile',
      'AppArmor.Mode',
      'NoNewPrivileges',
    ),
    proof: { seen: options, is: securityOptions },
  },
  {
    fields: privileges('SELinuxContext.Disable'),
    service: 'unlabelled',
    proof: { seen: options, is: ['label=disable'] },
  },
  { fields: container('OpenStdin'), proof: { seen: config('Config.OpenStdin'), is: true } },
  {
    fields: container('Mounts[].BindOptions.CreateMountpoint'),
    proof: { inside: 'test -d /made && echo made', prints: 'made' },
  },
  {
    fields: container('Mounts[].TmpfsOptions.Options[][]'),
    proof: { seen: mountAt('/run'), is: { Type: 'tmpfs', Target: '/run', TmpfsOptions: { Options: [['noexec']] } } },
  },
  {
    fields: ['TaskTemplate.Placement.Platforms[].Architecture', 'TaskTemplate.Placement.Platforms[].OS'],
    proof: {
      rule: (spec: ServiceSpec) => spec.TaskTemplate.Placement?.Platforms,
      is: [{ Architecture: 'x86_64', OS: 'linux' }],
    },
  },
  {
    fields: ['TaskTemplate.Runtime'],
    proof: { rule: (spec: ServiceSpec) => spec.TaskTemplate.Runtime, is: 'container' },
  },
  {
    fields: ['EndpointSpec.Ports[].Name'],
    proof: { rule: (spec: ServiceSpec) => spec.EndpointSpec?.Ports?.[0]?.Name, is: 'dns' },
  },
];

/** A specification that is refused for a field, and what the refusal names. */
export interface RefusedField {
  readonly fields: readonly string[];
  readonly spec: object;
  readonly names: string;
}

const least = { ContainerSpec: { Image: 'plimsoll/test:1' } };
const inTask = (part: object) => ({ Name: 'refused', TaskTemplate: { ...least, ...part } });

export const refusedFields: readonly RefusedField[] = [
  {
    fields: [
      'Name',
      'Remote',
      'Disabled',
      'PluginPrivilege[].Name',
      'PluginPrivilege[].Description',
      'PluginPrivilege[].Value[]',
    ].map((name) => `TaskTemplate.PluginSpec.${name}`),
    spec: inTask({ Runtime: 'plugin', PluginSpec: { Name: 'a', Remote: 'b' } }),
    names: 'TaskTemplate.PluginSpec',
  },
  { fields: ['TaskTemplate.Runtime'], spec: inTask({ Runtime: 'plugin' }), names: 'TaskTemplate.Runtime' },
  {
    fields: ['TaskTemplate.NetworkAttachmentSpec.ContainerID'],
    spec: inTask({ NetworkAttachmentSpec: { ContainerID: 'a' } }),
    names: 'TaskTemplate.NetworkAttachmentSpec',
  },
  {
    fields: container('Mounts[].ImageOptions.Subpath'),
    spec: inTask({
      ContainerSpec: {
        Image: 'plimsoll/test:1',
        Mounts: [{ Type: 'image', Source: 'a', Target: '/a', ImageOptions: { Subpath: 'b' } }],
      },
    }),
    names: 'Mounts[0].Type',
  },
  {
    fields: ['Kind', 'Value'].map((name) => `${genericReservations}.NamedResourceSpec.${name}`),
    spec: inTask({
      Resources: { Reservations: { GenericResources: [{ NamedResourceSpec: { Kind: 'gpu', Value: 'G1' } }] } },
    }),
    names: 'GenericResources[0]',
  },
  {
    fields: container('Configs[].Runtime'),
    spec: inTask({
      ContainerSpec: { Image: 'plimsoll/test:1', Configs: [{ ConfigID: 'a', ConfigName: 'a', Runtime: {} }] },
    }),
    names: 'ContainerSpec.Configs',
  },
];
