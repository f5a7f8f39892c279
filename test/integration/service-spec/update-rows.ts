/** The flags of `docker service update` that `service create` has not, or that take away what was there. */

import { contains, createRows, elsewhereRows, genericKinds, like } from './create-rows.ts';
import { config, container, mountAt, type Row } from './row.ts';

/** What the service has before its update: something for every flag that removes. */
export const before: readonly string[] = `
  --env GONE=1 --env STAYS=1 --label gone=1 --container-label gone=1 --cap-add NET_ADMIN --cap-drop MKNOD --group 99
  --host db:10.0.0.9 --dns 9.9.9.9 --dns-search example.org --dns-option ndots:2 --sysctl net.core.somaxconn=99
  --ulimit nofile=100:200 --mount type=tmpfs,target=/gone --publish published=18082,target=53,protocol=udp,mode=host
  --constraint node.role!=nobody --placement-pref spread=node.labels.zone --generic-resource licence=1
`
  .trim()
  .split(/\s+/);

const labels = 'Config.Labels';
const mounts = config('HostConfig.Mounts');

/** Each adds or removes one thing; `before` and all of them together make one update. */
const changes: readonly Row[] = [
  { flag: '--env-add', fields: [], given: ['--env-add', 'NEW=1'], proof: { inside: 'echo $NEW$STAYS', prints: '11' } },
  { flag: '--env-rm', fields: [], given: ['--env-rm', 'GONE'], proof: { inside: 'echo [$GONE]', prints: '[]' } },
  {
    flag: '--label-add',
    fields: [],
    given: ['--label-add', 'new=1'],
    proof: { rule: (spec) => spec.Labels, is: { new: '1' } },
  },
  {
    flag: '--label-rm',
    fields: [],
    given: ['--label-rm', 'gone'],
    proof: { rule: (spec) => spec.Labels, is: { new: '1' } },
  },
  {
    flag: '--container-label-add',
    fields: [],
    given: ['--container-label-add', 'new=1'],
    proof: { seen: config(labels), is: like({ new: '1' }) },
  },
  {
    flag: '--generic-resource-add',
    fields: [],
    given: ['--generic-resource-add', 'gpu=2'],
    proof: { rule: genericKinds, is: ['gpu'] },
  },
  {
    flag: '--generic-resource-rm',
    fields: [],
    given: ['--generic-resource-rm', 'licence'],
    proof: { rule: genericKinds, is: ['gpu'] },
  },
  {
    flag: '--container-label-rm',
    fields: [],
    given: ['--container-label-rm', 'gone'],
    proof: { seen: ({ Config }) => Object.hasOwn(Object(Config['Labels']), 'gone'), is: false },
  },
  {
    flag: '--cap-add',
    fields: [],
    given: ['--cap-add', 'SYS_TIME'],
    proof: { seen: config('HostConfig.CapAdd'), is: contains('CAP_SYS_TIME') },
  },
  {
    flag: '--cap-drop',
    fields: [],
    given: ['--cap-drop', 'CHOWN'],
    proof: { seen: config('HostConfig.CapDrop'), is: contains('CAP_CHOWN') },
  },
  {
    flag: '--group-add',
    fields: [],
    given: ['--group-add', '98'],
    proof: { seen: config('HostConfig.GroupAdd'), is: ['98'] },
  },
  {
    flag: '--group-rm',
    fields: [],
    given: ['--group-rm', '99'],
    proof: { seen: config('HostConfig.GroupAdd'), is: ['98'] },
  },
  {
    flag: '--host-add',
    fields: [],
    given: ['--host-add', 'cache:10.0.0.8'],
    proof: { seen: config('HostConfig.ExtraHosts'), is: ['cache:10.0.0.8'] },
  },
  {
    flag: '--host-rm',
    fields: [],
    given: ['--host-rm', 'db:10.0.0.9'],
    proof: { seen: config('HostConfig.ExtraHosts'), is: ['cache:10.0.0.8'] },
  },
  ...(
    [
      ['dns', 'Dns', '9.9.9.8', '9.9.9.9'],
      ['dns-search', 'DnsSearch', 'example.net', 'example.org'],
      ['dns-option', 'DnsOptions', 'timeout:3', 'ndots:2'],
    ] as const
  ).flatMap(([flag, name, added, removed]): Row[] => {
    const proof = { seen: config(`HostConfig.${name}`), is: [added] };
    return [
      { flag: `--${flag}-add`, fields: [], given: [`--${flag}-add`, added], proof },
      { flag: `--${flag}-rm`, fields: [], given: [`--${flag}-rm`, removed], proof },
    ];
  }),
  {
    flag: '--sysctl-add',
    fields: [],
    given: ['--sysctl-add', 'net.ipv4.ip_local_port_range=2000 3000'],
    proof: { seen: config('HostConfig.Sysctls'), is: { 'net.ipv4.ip_local_port_range': '2000 3000' } },
  },
  {
    flag: '--sysctl-rm',
    fields: [],
    given: ['--sysctl-rm', 'net.core.somaxconn'],
    proof: { inside: 'cat /proc/sys/net/core/somaxconn | grep -c "^99$"', prints: '0' },
  },
  {
    flag: '--ulimit-add',
    fields: [],
    given: ['--ulimit-add', 'nproc=500:600'],
    proof: { seen: config('HostConfig.Ulimits'), is: [{ Name: 'nproc', Soft: 500, Hard: 600 }] },
  },
  {
    flag: '--ulimit-rm',
    fields: [],
    given: ['--ulimit-rm', 'nofile'],
    proof: { seen: config('HostConfig.Ulimits'), is: [{ Name: 'nproc', Soft: 500, Hard: 600 }] },
  },
  {
    flag: '--mount-add',
    fields: [],
    given: ['--mount-add', 'type=tmpfs,target=/new'],
    proof: { seen: mountAt('/new'), is: like({ Type: 'tmpfs' }) },
  },
  {
    flag: '--mount-rm',
    fields: [],
    given: ['--mount-rm', '/gone'],
    proof: { seen: mounts, is: [like({ Target: '/new' })] },
  },
  {
    flag: '--publish-add',
    fields: [],
    given: ['--publish-add', 'published=18083,target=54,protocol=udp,mode=host'],
    proof: { seen: config('HostConfig.PortBindings'), is: { '54/udp': [{ HostIp: '', HostPort: '18083' }] } },
  },
  {
    flag: '--publish-rm',
    fields: [],
    given: ['--publish-rm', 'published=18082,target=53,protocol=udp,mode=host'],
    proof: { seen: config('HostConfig.PortBindings'), is: { '54/udp': [{ HostIp: '', HostPort: '18083' }] } },
  },
  {
    flag: '--constraint-add',
    fields: [],
    given: ['--constraint-add', 'node.platform.os==linux'],
    proof: { rule: (spec) => spec.TaskTemplate.Placement?.Constraints, is: ['node.platform.os==linux'] },
  },
  {
    flag: '--constraint-rm',
    fields: [],
    given: ['--constraint-rm', 'node.role!=nobody'],
    proof: { rule: (spec) => spec.TaskTemplate.Placement?.Constraints, is: ['node.platform.os==linux'] },
  },
  {
    flag: '--placement-pref-add',
    fields: [],
    given: ['--placement-pref-add', 'spread=node.labels.rack'],
    proof: {
      rule: (spec) => spec.TaskTemplate.Placement?.Preferences,
      is: [{ Spread: { SpreadDescriptor: 'node.labels.rack' } }],
    },
  },
  {
    flag: '--placement-pref-rm',
    fields: [],
    given: ['--placement-pref-rm', 'spread=node.labels.zone'],
    proof: {
      rule: (spec) => spec.TaskTemplate.Placement?.Preferences,
      is: [{ Spread: { SpreadDescriptor: 'node.labels.rack' } }],
    },
  },
  {
    flag: '--image',
    fields: container('Image'),
    given: ['--image', 'plimsoll/test:2'],
    proof: { seen: config('Config.Image'), is: 'plimsoll/test:2' },
  },
  {
    flag: '--args',
    fields: [],
    given: ['--args', 'sleep 999999'],
    proof: { seen: config('Config.Cmd'), is: ['sleep', '999999'] },
  },
  {
    flag: '--force',
    fields: ['TaskTemplate.ForceUpdate'],
    given: ['--force'],
    proof: { rule: (spec) => spec.TaskTemplate.ForceUpdate, is: 1 },
  },
  {
    flag: '--rollback',
    fields: [],
    proof: { elsewhere: 'test/integration/coordinator/docker-cli.test.ts: --rollback' },
  },
];

/** Flags of both commands that an update sets as a creation does; those that say something of a list were replaced above. */
const replaced = [
  '--name',
  '--mode',
  '--env',
  '--env-file',
  '--label',
  '--container-label',
  '--group',
  '--host',
  '--dns',
];
const lists = ['--dns-search', '--dns-option', '--sysctl', '--ulimit', '--mount', '--publish', '--constraint'];
const dropped = ['--health-start-interval'];
const own = [
  ...dropped,
  ...replaced,
  ...lists,
  '--placement-pref',
  '--generic-resource',
  '--cap-add',
  '--cap-drop',
  '--entrypoint',
  '--workdir',
  '--read-only',
];

const shared = createRows.filter(
  ({ flag }) => flag !== undefined && !own.includes(flag) && !elsewhereRows.some((row) => row.flag === flag),
);

export const updateRows: readonly Row[] = [
  ...changes,
  ...shared,
  {
    flag: '--health-start-interval',
    fields: [],
    proof: { clientOnly: 'the CLI (28.5) leaves it out of what it sends in an update' },
  },
  { flag: '--workdir', fields: [], given: ['--workdir', '/new'], proof: { inside: 'echo $PWD', prints: '/new' } },
  {
    flag: '--read-only',
    fields: [],
    given: ['--read-only'],
    proof: { inside: 'touch /x 2>/dev/null || echo refused', prints: 'refused' },
  },
  {
    flag: '--entrypoint',
    fields: [],
    given: ['--entrypoint', '/bin/sh -c'],
    service: 'wrapped',
    proof: { seen: config('Config.Entrypoint'), is: ['/bin/sh', '-c'] },
  },
  ...elsewhereRows.flatMap((row): Row[] => {
    const isList = ['--secret', '--config', '--network'].includes(row.flag ?? '');
    return isList ? ['add', 'rm'].map((change) => ({ ...row, flag: `${row.flag}-${change}` })) : [row];
  }),
];
