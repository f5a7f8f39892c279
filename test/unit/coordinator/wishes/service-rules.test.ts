import { describe, expect, it } from 'vitest';
import { isImageReference } from '../../../../coordinator/wishes/image-reference.ts';
import { refuseTakenPorts, settlePorts } from '../../../../coordinator/wishes/ports.ts';
import {
  checkServiceSpec,
  checkUnchangeable,
  withServerDefaults,
} from '../../../../coordinator/wishes/service-rules.ts';
import type {
  ContainerSpec,
  ListedGenericResource,
  PortConfig,
  ServiceSpec,
  TaskTemplate,
} from '../../../../model/service-spec.ts';
import { aService, aSpec } from '../../../support/snapshots.ts';

const withTemplate = (rest: Partial<TaskTemplate>): ServiceSpec =>
  aSpec({ TaskTemplate: { ContainerSpec: { Image: 'a:1' }, ...rest } });
const withContainer = (rest: Partial<ContainerSpec>): ServiceSpec =>
  aSpec({ TaskTemplate: { ContainerSpec: { Image: 'a:1', ...rest } } });
const reserving = (...GenericResources: ListedGenericResource[]): ServiceSpec =>
  withTemplate({ Resources: { Reservations: { GenericResources } } });
const port = (changes: Partial<PortConfig> = {}): PortConfig => ({
  Protocol: 'tcp',
  TargetPort: 80,
  PublishMode: 'ingress',
  ...changes,
});
const secret = (name: string, target: string) => ({
  SecretID: name,
  SecretName: name,
  File: { Name: target, UID: '0', GID: '0', Mode: 0o444 },
});

describe('checkServiceSpec()', () => {
  it.each<[string, ServiceSpec]>([
    ['name must be valid as a DNS name component', aSpec({ Name: '-web' })],
    ['name must be 63 characters or fewer', aSpec({ Name: 'a'.repeat(64) })],
    ['Mode: choose one of Replicated, Global', aSpec({ Mode: { Replicated: {}, Global: {} } })],
    ['Mode.Replicated.Replicas: 10001 is more', aSpec({ Mode: { Replicated: { Replicas: 10_001 } } })],
    ['the specification has ', withContainer({ Env: [`A=${'x'.repeat(600_000)}`] })],
    ['job may not have update config', aSpec({ Mode: { ReplicatedJob: {} }, UpdateConfig: {} })],
    ['job may not have rollback config', aSpec({ Mode: { GlobalJob: {} }, RollbackConfig: {} })],
    [
      'Mode.ReplicatedJob.TotalCompletions: 10001 is more',
      aSpec({ Mode: { ReplicatedJob: { TotalCompletions: 10_001 } } }),
    ],
    [
      'GenericResources[1]: a service reserves a number of a kind',
      reserving({ DiscreteResourceSpec: { Kind: 'gpu' } }, { NamedResourceSpec: { Kind: 'gpu', Value: 'G1' } }),
    ],
    ['GenericResources[0]: a service reserves', reserving({})],
    [
      'GenericResources[0].DiscreteResourceSpec.Value: cannot ask for negative resource gpu',
      reserving({ DiscreteResourceSpec: { Kind: 'gpu', Value: -1 } }),
    ],
    ['GenericResources[0].DiscreteResourceSpec.Kind', reserving({ DiscreteResourceSpec: { Kind: '', Value: 1 } })],
    ['Must be at least 4MiB', withTemplate({ Resources: { Limits: { MemoryBytes: 1 } } })],
    ['Must be at least 0.001', withTemplate({ Resources: { Reservations: { NanoCPUs: 1 } } })],
    ['constraint expected one operator', withTemplate({ Placement: { Constraints: ['node.role'] } })],
    ["key 'node.colour' is unknown", withTemplate({ Placement: { Constraints: ['node.colour==red'] } })],
    [
      "preference 'node.id' is invalid",
      withTemplate({ Placement: { Preferences: [{ Spread: { SpreadDescriptor: 'node.id' } }] } }),
    ],
    ['(TaskTemplate.Networks)', withTemplate({ Networks: [{ Target: 'backend' }, { Target: 'host' }] })],
    ['(TaskTemplate.Networks.Aliases)', withTemplate({ Networks: [{ Target: 'bridge', Aliases: ['db'] }] })],
    ['(TaskTemplate.Networks.DriverOpts)', withTemplate({ Networks: [{ Target: 'host', DriverOpts: { a: 'b' } }] })],
    [
      '(EndpointSpec.Ports)',
      { ...withTemplate({ Networks: [{ Target: 'host' }] }), EndpointSpec: { Ports: [port()] } },
    ],
    ['malformed secret reference', withContainer({ Secrets: [{ SecretID: 'x', SecretName: 'x' }] })],
    ['invalid secret target file name', withContainer({ Secrets: [secret('x', '../x')] })],
    [
      "secret references 'x' and 'y' have a conflicting target: 'z'",
      withContainer({ Secrets: [secret('x', 'z'), secret('y', 'z')] }),
    ],
    [
      '(TaskTemplate.ContainerSpec.Configs.Runtime)',
      withContainer({ Configs: [{ ConfigID: 'x', ConfigName: 'x', Runtime: {} }] }),
    ],
    ['(TaskTemplate.ContainerSpec.Isolation)', withContainer({ Isolation: 'hyperv' })],
    ['Privileges.CredentialSpec)', withContainer({ Privileges: { CredentialSpec: { File: 'x' } } })],
    ['Privileges.Seccomp.Profile: with Mode', withContainer({ Privileges: { Seccomp: { Mode: 'custom' } } })],
    ['Privileges.Seccomp.Profile: is used', withContainer({ Privileges: { Seccomp: { Profile: 'e30=' } } })],
    [
      '(TaskTemplate.ContainerSpec.Mounts[0].Type)',
      withContainer({ Mounts: [{ Type: 'image', Source: 'a', Target: '/a' }] }),
    ],
    ['{{.Nmae}}', withContainer({ Hostname: '{{.Nmae}}' })],
    ['{{.Task.Image}}', withContainer({ Mounts: [{ Type: 'volume', Source: 'a-{{.Task.Image}}', Target: '/a' }] })],
    ['must be an absolute path: a', withContainer({ Mounts: [{ Type: 'tmpfs', Target: 'a' }] })],
    ['must be an absolute path: etc', withContainer({ Mounts: [{ Type: 'bind', Source: 'etc', Target: '/a' }] })],
    [
      'duplicate mount point: /a',
      withContainer({
        Mounts: [
          { Type: 'tmpfs', Target: '/a' },
          { Type: 'tmpfs', Target: '/a' },
        ],
      }),
    ],
    [
      'duplicate published ports',
      aSpec({ EndpointSpec: { Ports: [port({ PublishedPort: 1 }), port({ PublishedPort: 1 })] } }),
    ],
    ["can't be used with dnsrr mode", aSpec({ EndpointSpec: { Mode: 'dnsrr', Ports: [port()] } })],
    ['SCTP', aSpec({ EndpointSpec: { Ports: [port({ Protocol: 'sctp' })] } })],
    ['knows no label "plimsoll.x"', aSpec({ Labels: { 'plimsoll.x': '1' } })],
    ...['http', '0', '99999', '80/tcp', ''].map((value): [string, ServiceSpec] => [
      `plimsoll.scrape.port must be a port, 1 to 65535, not "${value}"`,
      aSpec({ Labels: { 'plimsoll.scrape.port': value } }),
    ]),
    ['plimsoll.scrape.path must be a path', aSpec({ Labels: { 'plimsoll.scrape.path': 'metrics' } })],
  ])('refuses: %s', (sentence, spec) => {
    expect(() => checkServiceSpec(spec)).toThrow(sentence);
  });

  it.each<[string, ServiceSpec]>([
    ['the least', aSpec()],
    ['generic resources, even none of a kind', reserving({ DiscreteResourceSpec: { Kind: 'gpu' } })],
    ['scrape labels', aSpec({ Labels: { 'plimsoll.scrape.port': '80' } })],
    [
      'privileges an engine has',
      withContainer({ Privileges: { NoNewPrivileges: true, Seccomp: { Mode: 'unconfined' } } }),
    ],
    ['labels of the node', withContainer({ Env: ['A={{.Node.Labels.zone}}{{index .Node.Labels "b.c"}}'] })],
    ["the host's network", withTemplate({ Networks: [{ Target: 'host' }] })],
    ['host ports with dnsrr', aSpec({ EndpointSpec: { Mode: 'dnsrr', Ports: [port({ PublishMode: 'host' })] } })],
  ])('accepts %s', (_what, spec) => {
    expect(() => checkServiceSpec(spec)).not.toThrow();
  });
});

describe('checkUnchangeable()', () => {
  it('refuses a new name and a new mode', () => {
    expect(() => checkUnchangeable(aSpec(), aSpec({ Name: 'other' }))).toThrow('renaming services is not supported');
    expect(() => checkUnchangeable(aSpec(), aSpec({ Mode: { Global: {} } }))).toThrow('service mode change');
    expect(() => checkUnchangeable(aSpec(), aSpec({ Mode: { Replicated: { Replicas: 9 } } }))).not.toThrow();
  });
});

describe('withServerDefaults()', () => {
  it('fills in what the engine fills in, and nothing twice', () => {
    const filled = withServerDefaults(aSpec());
    expect(filled).toMatchObject({
      Labels: {},
      Mode: { Replicated: { Replicas: 1 } },
      TaskTemplate: { Runtime: 'container', ContainerSpec: { Isolation: 'default' } },
    });
    expect(withServerDefaults(filled)).toEqual(filled);
  });
});

describe('isImageReference()', () => {
  it.each(['a', 'a:1', 'r.io:5000/x/y-z:v1.0', `a@sha256:${'0'.repeat(64)}`, 'localhost/a__b'])(
    'accepts %s',
    (text) => {
      expect(isImageReference(text)).toBe(true);
    },
  );
  it.each(['', 'A', 'a:', 'a b', 'a@sha256:12', '/a', 'f'.repeat(64)])('refuses %j', (text) => {
    expect(isImageReference(text)).toBe(false);
  });
});

describe('settlePorts()', () => {
  it('gives unset ingress ports free numbers and keeps those given before', () => {
    const spec = aSpec({ EndpointSpec: { Ports: [port(), port({ TargetPort: 81 })] } });
    const before = settlePorts(spec, [], new Set(['tcp/30000']));
    expect(before.map((settled) => settled.PublishedPort)).toEqual([30_001, 30_002]);
    const swapped = aSpec({ EndpointSpec: { Ports: [port({ TargetPort: 81 }), port({ TargetPort: 82 })] } });
    expect(settlePorts(swapped, before, new Set()).map((settled) => settled.PublishedPort)).toEqual([30_002, 30_000]);
  });

  it('gives no new port the number another one keeps', () => {
    const before = [port({ PublishedPort: 30_000 })];
    const spec = aSpec({ EndpointSpec: { Ports: [port({ TargetPort: 81 }), port()] } });
    expect(settlePorts(spec, before, new Set()).map((settled) => settled.PublishedPort)).toEqual([30_001, 30_000]);
  });

  it('leaves host ports to the engine', () => {
    const spec = aSpec({ EndpointSpec: { Ports: [port({ PublishMode: 'host' })] } });
    expect(settlePorts(spec, [], new Set())[0]?.PublishedPort).toBeUndefined();
  });
});

describe('refuseTakenPorts()', () => {
  const published = (PublishMode: PortConfig['PublishMode']) => port({ PublishedPort: 80, PublishMode });
  it.each([
    ['ingress', 'ingress', 'as an ingress port'],
    ['host', 'ingress', 'as an ingress port'],
    ['ingress', 'host', 'as a host-published port'],
  ] as const)('refuses %s where another service has %s', (mine, theirs, sentence) => {
    const other = aService({ ports: [published(theirs)] });
    expect(() => refuseTakenPorts([published(mine)], [other])).toThrow(sentence);
  });

  it('lets host ports of two services meet: placement keeps them apart', () => {
    expect(() => refuseTakenPorts([published('host')], [aService({ ports: [published('host')] })])).not.toThrow();
  });
});
