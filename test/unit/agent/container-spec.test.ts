import { describe, expect, it } from 'vitest';
import { containerRequest } from '../../../agent/container-spec.ts';
import type { HostPlace } from '../../../agent/host-config.ts';
import { attemptId } from '../../../runtime/identifiers.ts';
import { loneHost } from '../../support/lone-host.ts';
import { aTask } from '../../support/tasks.ts';

const place: HostPlace = { ...loneHost, logsUnbounded: true };

describe('containerRequest()', () => {
  it('asks for nothing the user did not ask for', () => {
    const task = aTask();

    const { name, body } = containerRequest(task, 1, { ...place, logsUnbounded: false });

    expect(name).toBe(`web.1.${task.id}`);
    expect(body).toMatchObject({ Image: 'plimsoll/test:1', Cmd: ['sleep', '1000000'] });
    expect(body.HostConfig).toEqual({ RestartPolicy: { Name: 'no' } });
  });

  it('tells the container who it is, below what the user says', () => {
    const task = aTask({ container: { Env: ['PLIMSOLL_NODE=mine', 'A={{.Service.Name}}'] } });

    const { body } = containerRequest(task, 2, place);

    expect(body.Env).toEqual([
      'PLIMSOLL_SERVICE=web',
      `PLIMSOLL_TASK=web.1.${attemptId(task.id, 2)}`,
      'PLIMSOLL_NODE=h1',
      'PLIMSOLL_NODE=mine',
      'A=web',
    ]);
  });

  it('tells the container which generic resources it was given, whatever the user says', () => {
    const generic = [
      { kind: 'NVIDIA-GPU', count: 2, names: ['UUID2', 'UUID1'] },
      { kind: 'licence', count: 3, names: [] },
    ];
    const task = { ...aTask({ container: { Env: ['DOCKER_RESOURCE_LICENCE=9'] } }), generic };

    const { body } = containerRequest(task, 1, place);

    expect(Object(body.Env).slice(-3)).toEqual([
      'DOCKER_RESOURCE_LICENCE=9',
      'DOCKER_RESOURCE_NVIDIA-GPU=UUID2,UUID1',
      'DOCKER_RESOURCE_LICENCE=3',
    ]);
  });

  it('names a later attempt and a global task by their own ids', () => {
    const task = aTask({ slot: 0 });

    expect(containerRequest(task, 2, place).name).toBe(`web.${task.nodeId}.${attemptId(task.id, 2)}`);
  });

  it('labels the container so that a restarted agent knows it', () => {
    const task = aTask({ container: { Labels: { mine: 'yes' } } });

    const { body } = containerRequest(task, 3, place);

    expect(body.Labels).toMatchObject({
      mine: 'yes',
      'plimsoll.cluster.id': 'cluster',
      'plimsoll.task.id': task.id,
      'plimsoll.attempt': '3',
      'com.docker.swarm.service.name': 'web',
      'com.docker.swarm.task.id': attemptId(task.id, 3),
    });
  });

  it('says everything of the spec in the words of the create call', () => {
    const task = aTask({
      ports: [
        { Protocol: 'udp', TargetPort: 53, PublishedPort: 5353, PublishMode: 'host' },
        { Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' },
      ],
      container: {
        Command: ['/bin/app'],
        Hostname: '{{.Service.Name}}-{{.Task.Slot}}-{{.Node.Hostname}}',
        Hosts: ['10.0.0.9 db cache'],
        Groups: ['audio'],
        CapabilityDrop: ['NET_RAW'],
        Privileges: {
          NoNewPrivileges: true,
          Seccomp: { Mode: 'custom', Profile: 'eyJhIjoxfQ==' },
          AppArmor: { Mode: 'disabled' },
          SELinuxContext: { User: 'u', Level: 's0' },
        },
        Mounts: [
          {
            Type: 'volume',
            Source: 'data-{{.Task.Slot}}',
            Target: '/data',
            VolumeOptions: { Labels: { of: '{{.Service.Name}}' }, DriverConfig: { Options: { o: '{{.Task.Slot}}' } } },
          },
        ],
        ReadOnly: true,
        Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }],
      },
      template: {
        Resources: { Limits: { NanoCPUs: 5e8, MemoryBytes: 64e6, Pids: 9 }, Reservations: { MemoryBytes: 32e6 } },
        LogDriver: { Name: 'none' },
        Networks: [{ Target: 'host' }],
      },
    });

    const { body } = containerRequest(task, 1, place);

    expect(body).toMatchObject({ Entrypoint: ['/bin/app'], Hostname: 'web-1-h1', ExposedPorts: { '53/udp': {} } });
    expect(body.HostConfig).toEqual({
      NanoCpus: 5e8,
      Memory: 64e6,
      MemoryReservation: 32e6,
      PidsLimit: 9,
      CapDrop: ['NET_RAW'],
      GroupAdd: ['audio'],
      SecurityOpt: [
        'label=user:u',
        'label=level:s0',
        'seccomp={"a":1}',
        'apparmor=unconfined',
        'no-new-privileges=true',
      ],
      NetworkMode: 'host',
      RestartPolicy: { Name: 'no' },
      Mounts: [
        {
          Type: 'volume',
          Source: 'data-1',
          Target: '/data',
          VolumeOptions: { Labels: { of: 'web' }, DriverConfig: { Options: { o: '1' } } },
        },
      ],
      PortBindings: { '53/udp': [{ HostPort: '5353' }] },
      LogConfig: { Type: 'none', Config: {} },
      ReadonlyRootfs: true,
      ExtraHosts: ['db:10.0.0.9', 'cache:10.0.0.9'],
      Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }],
    });
  });

  it('opens of the host what labels say', () => {
    const serviceLabels = {
      'plimsoll.devices': '/dev/fuse,/dev/null:/dev/void:r',
      'plimsoll.privileged': 'true',
      'plimsoll.shm-size': '64m',
      'plimsoll.security-opt': 'label=disable',
    };

    const { body } = containerRequest(
      aTask({ serviceLabels, container: { Privileges: { NoNewPrivileges: true } } }),
      1,
      place,
    );

    expect(body.HostConfig).toMatchObject({
      Devices: [
        { PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' },
        { PathOnHost: '/dev/null', PathInContainer: '/dev/void', CgroupPermissions: 'r' },
      ],
      Privileged: true,
      ShmSize: 64 * 2 ** 20,
      SecurityOpt: ['no-new-privileges=true', 'label=disable'],
    });
  });

  it('limits logs where neither the user nor the engine does', () => {
    const { body } = containerRequest(aTask(), 1, place);

    expect(body.HostConfig).toMatchObject({
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    });
  });

  it.each([
    ['an overlay network', aTask({ template: { Networks: [{ Target: 'mynet' }] } }), /networks mynet/],
    ['an unknown template', aTask({ container: { Env: ['A={{.Node.Labels.zone}}'] } }), /\{\{\.Node\.Labels\.zone\}\}/],
  ])('refuses %s by name', (_, task, message) => {
    expect(() => containerRequest(task, 1, place)).toThrow(message);
  });
});
