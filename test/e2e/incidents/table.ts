/**
 * What goes wrong in ordinary life, and the exact sentences in which `docker service ps` and `plim why` tell it, and the
 * series that measures it. docs/incidents.md shows the same table.
 */
import type { Cluster } from '../../support/cluster.ts';
import type { Incident, Metric } from './incident.ts';
import { refusedImages } from './refusing-registry.ts';
import { updateTemplate } from './spec-update.ts';

const image = 'plimsoll/sleep:1';
const on = (host: string) => ['--constraint', `node.hostname==${host}`];
/** The host with the registry and with the program that holds a port. */
const onH2 = on('h2');

export const OCCUPIED_PORT = 8083;

const failure = (reason: string): Metric => ({ name: 'plimsoll_task_failures_total', labels: { reason } });
const pending = (service: string, reason: string): Metric => ({
  name: 'plimsoll_service_tasks_pending',
  labels: { service, reason },
});
const updateState = (service: string, state: string): Metric => ({
  name: 'plimsoll_service_update_state',
  labels: { service, state },
});
const nodeState = (node: string, state: string): Metric => ({
  name: 'plimsoll_node_status_state',
  labels: { node, state },
});
const request = (method: string, route: string, code: string): Metric => ({
  name: 'plimsoll_api_requests_total',
  labels: { api: 'docker', method, route, code },
});

const noCommand =
  'starting container failed: failed to create shim task: OCI runtime create failed: runc create failed: unable to start ' +
  'container process: exec: "/bin/nothing": stat /bin/nothing: no such file or directory: unknown (the command does not ' +
  'exist in the image)';

/** A volume that takes less than the files the image has there. */
const tinyVolume =
  'type=volume,source=incident-tiny,target=/bin,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=64k';

/** Images, commands, files, memory, health: an agent says how an attempt ended. */
const attempts: readonly Incident[] = [
  {
    name: 'The registry has no such image',
    service: 'image-unknown',
    create: [...onH2, refusedImages.unknown],
    error: `No such image: ${refusedImages.unknown}: manifest unknown (the registry has no such image)`,
    metric: failure('image-not-found'),
  },
  {
    name: 'The registry wants credentials',
    service: 'image-private',
    create: [...onH2, refusedImages.private],
    error: `No such image: ${refusedImages.private}: unauthorized (the registry has no such image for these credentials: log in and use --with-registry-auth)`,
    metric: failure('image-auth'),
  },
  {
    name: 'The registry was asked too often',
    service: 'image-limited',
    create: [...onH2, refusedImages.limited],
    error: `No such image: ${refusedImages.limited}: toomanyrequests: You have reached your pull rate limit (the registry limits how often it may be asked: wait, or log in and use --with-registry-auth)`,
    metric: failure('image-rate-limit'),
  },
  {
    name: 'No registry can be reached',
    service: 'image-nowhere',
    create: [...onH2, refusedImages.unreachable],
    error: `No such image: ${refusedImages.unreachable}: Get "http://127.0.0.1:5001/v2/": dial tcp 127.0.0.1:5001: connect: connection refused (the image is not on this node and could not be pulled)`,
    metric: failure('image'),
  },
  {
    name: 'The command is not in the image',
    service: 'command',
    create: [...onH2, image, '/bin/nothing'],
    error: noCommand,
    metric: failure('command'),
  },
  {
    name: 'A mounted path is not on the node',
    service: 'mount',
    create: [...onH2, '--mount', 'type=bind,source=/no/such/path,target=/data', image],
    error:
      'invalid mount config for type "bind": bind source path does not exist: /no/such/path (a mounted path does not exist on this node)',
    metric: failure('mount'),
  },
  {
    name: 'A disk is full',
    service: 'disk',
    create: [...onH2, '--mount', tinyVolume, image],
    error:
      'failed to copy files: userspace copy failed: write <host>/data/volumes/incident-tiny/_data/busybox: no space left on device (a disk of this node is full)',
    metric: failure('disk'),
  },
  {
    name: 'The container exits at once',
    service: 'exit',
    create: [...onH2, image, '/bin/sh', '-c', 'exit 3'],
    error: 'task: non-zero exit (3)',
    metric: failure('exit'),
  },
  {
    name: 'It has exited as often as its restart policy allows',
    service: 'max-attempts',
    create: [...onH2, '--restart-max-attempts', '1', '--restart-delay', '10ms', image, '/bin/sh', '-c', 'exit 4'],
    error: 'task: non-zero exit (4)',
    why: 'task: non-zero exit (4); not started again: max attempts 1 reached',
    metric: { name: 'plimsoll_service_status_replicas_unavailable', labels: { service: 'max-attempts' } },
  },
  {
    name: 'It needs more memory than its limit',
    service: 'out-of-memory',
    create: [...onH2, '--limit-memory', '8mb', image, 'tail', '/dev/zero'],
    error: 'task: non-zero exit (137): killed for using more memory than its limit',
    metric: failure('memory'),
  },
  {
    name: 'Its process is killed from outside',
    service: 'killed',
    create: [...onH2, image],
    befall: async (cluster) => {
      const [task] = await cluster.settled('killed', 1);
      return cluster.engine('h2', 'kill', `killed.1.${task?.id}`).then(() => '');
    },
    error: 'task: non-zero exit (137): ended by SIGKILL',
    metric: failure('exit'),
  },
  {
    name: 'Its health check fails',
    service: 'health',
    create: [...onH2, '--health-cmd', 'echo out of ink; exit 1', ...often(), image],
    error: 'task: unhealthy container: health check ended with 1: out of ink (exit 0)',
    metric: failure('unhealthy'),
  },
  {
    name: 'Its health check calls a program that is not there',
    service: 'health-program',
    create: [...onH2, '--health-cmd', '/bin/checker', ...often(), image],
    error: 'task: unhealthy container: health check ended with 127: /bin/sh: /bin/checker: not found (exit 0)',
    metric: failure('unhealthy'),
  },
  {
    name: 'Its readiness probe fails',
    service: 'readiness',
    create: [...onH2, '--label', 'plimsoll.readiness=period=1s failure-threshold=1 tcp://:80', image],
    error: 'not ready: TCP port 80: connect ECONNREFUSED <address>:80',
    metric: { name: 'plimsoll_agent_probe_failures_total', labels: { probe: 'readiness' } },
  },
  {
    name: 'Another program on the host holds its port',
    service: 'port-on-host',
    create: [...onH2, '--publish', `mode=host,published=${OCCUPIED_PORT},target=80`, image],
    error: `starting container failed: driver failed programming external connectivity on endpoint port-on-host.1.<id> (<id>): Error starting userland proxy: listen tcp4 0.0.0.0:${OCCUPIED_PORT}: bind: address already in use (another process or container on this node holds the port)`,
    metric: failure('port'),
  },
];

/** No node takes the task: the leader says what keeps each from it. */
const placements: readonly Incident[] = [
  {
    name: 'No node has the memory',
    service: 'memory',
    create: ['--reserve-memory', '900gb', image],
    error: 'no suitable node (insufficient resources on 3 nodes; wants 900 GiB of memory)',
    metric: pending('memory', 'resources'),
  },
  {
    name: 'No node has the processors',
    service: 'processors',
    create: ['--reserve-cpu', '900', image],
    error: 'no suitable node (insufficient resources on 3 nodes; wants 900 CPUs)',
    metric: pending('processors', 'resources'),
  },
  {
    name: 'A constraint is misspelt',
    service: 'constraint',
    create: ['--constraint', 'node.labels.dsik==fast', image],
    error: 'no suitable node (scheduling constraints not satisfied on 3 nodes; wants node.labels.dsik==fast)',
    metric: pending('constraint', 'constraints'),
  },
  {
    name: 'Tasks of the cluster hold its port on every node',
    service: 'port-in-cluster',
    create: ['--replicas', '4', '--publish', 'mode=host,published=8082,target=80', image],
    error: 'no suitable node (host-mode port already in use on 3 nodes; wants tcp/8082)',
    metric: pending('port-in-cluster', 'port'),
  },
  {
    name: 'Every node has as many replicas as may be',
    service: 'max-per-node',
    create: ['--replicas', '4', '--replicas-max-per-node', '1', image],
    error: 'no suitable node (max replicas per node limit exceed on 3 nodes; at most 1 per node)',
    metric: pending('max-per-node', 'max-replicas'),
  },
  {
    name: 'The service it wants to be near to runs nowhere',
    service: 'affinity',
    create: ['--label', 'plimsoll.affinity=nobody', image],
    error: 'no suitable node (affinity not satisfied on 3 nodes; wants a node with nobody)',
    metric: pending('affinity', 'affinity'),
  },
  {
    name: 'The image is for another platform',
    service: 'platform',
    create: ['--replicas', '0', image],
    befall: async (cluster) => {
      const Placement = { Platforms: [{ OS: 'linux', Architecture: 'riscv64' }] };
      const answer = await updateTemplate(cluster, 'platform', (template) => ({ ...template, Placement }));
      await cluster.docker('service', 'scale', '--detach', 'platform=1');
      return answer;
    },
    error: 'no suitable node (unsupported platform on 3 nodes)',
    metric: pending('platform', 'platform'),
  },
];

const updates: readonly Incident[] = [
  {
    name: 'An update is paused: its image is not there',
    service: 'update-paused',
    create: [...onH2, image],
    befall: updated('update-paused', '--image', refusedImages.unknown),
    error: `No such image: ${refusedImages.unknown}: manifest unknown (the registry has no such image)`,
    why: 'paused to revision 2: update paused due to failure or early termination of task <id>',
    metric: updateState('update-paused', 'paused'),
  },
  {
    name: 'An update is stuck: its task neither fails nor becomes ready',
    service: 'update-stuck',
    create: [...onH2, '--label', 'plimsoll.update.progress-deadline=1s', image],
    befall: updated('update-stuck', '--health-cmd', 'true', '--health-interval', '1h'),
    error: 'not ready after 1s (plimsoll.update.progress-deadline)',
    why: 'paused to revision 2: update paused due to task <id>, which was not ready after 1s (plimsoll.update.progress-deadline)',
    metric: updateState('update-stuck', 'paused'),
  },
  {
    name: 'An update is rolled back: its command is not there',
    service: 'update-rolled-back',
    create: [...onH2, '--update-failure-action', 'rollback', image],
    befall: updated('update-rolled-back', '--args', '/bin/nothing'),
    error: noCommand,
    why: 'rollback_completed to revision 1: rollback completed: update rolled back due to failure or early termination of task <id>',
    metric: updateState('update-rolled-back', 'rollback_completed'),
  },
  {
    name: 'An update fails, and a secret of what it would be rolled back to is gone',
    service: 'update-not-rolled-back',
    create: [...onH2, '--update-failure-action', 'rollback', '--secret', 'incident-secret', image],
    befall: async (cluster) => {
      const stuck = ['--health-cmd', 'true', '--health-interval', '1h', '--secret-rm', 'incident-secret'];
      await updated('update-not-rolled-back', ...stuck)(cluster);
      await cluster.docker('secret', 'rm', 'incident-secret');
      const soon = ['--label-add', 'plimsoll.update.progress-deadline=1s'];
      await cluster.docker('service', 'update', '--detach', '--no-resolve-image', ...soon, 'update-not-rolled-back');
      return '';
    },
    error: 'not ready after 1s (plimsoll.update.progress-deadline)',
    why: 'paused to revision 2: update paused due to task <id>, which was not ready after 1s (plimsoll.update.progress-deadline); not rolled back: what was before needs the secret incident-secret, which is gone',
    metric: updateState('update-not-rolled-back', 'paused'),
  },
];

/** Refused before anything is written: nothing is wrong with the service afterwards. */
const refusals: readonly Incident[] = [
  {
    name: 'A secret is not there',
    service: 'secret-missing',
    create: [...onH2, image],
    befall: (cluster) => {
      const File = { Name: 'db_password', UID: '0', GID: '0', Mode: 0o444 };
      const Secrets = [{ SecretID: '0123456789012345678901234', SecretName: 'db_password', File }];
      return updateTemplate(cluster, 'secret-missing', (template) => ({
        ...template,
        ContainerSpec: { ...template.ContainerSpec, Secrets },
      }));
    },
    refusal: 'rpc error: code = InvalidArgument desc = secret not found: db_password',
    error: '',
    why: '1 of 1 tasks run, 1 of them ready',
    metric: request('POST', '/services/:service/update', '400'),
  },
  {
    name: 'A config that is in use is removed',
    service: 'config-in-use',
    create: [...onH2, '--config', 'incident-config', image],
    befall: refused('config', 'rm', 'incident-config'),
    refusal:
      "Error response from daemon: rpc error: code = InvalidArgument desc = config 'incident-config' is in use by the following service: config-in-use",
    error: '',
    why: '1 of 1 tasks run, 1 of them ready',
    metric: request('DELETE', '/configs/:reference', '400'),
  },
  {
    name: 'Another service has its published port',
    service: 'port-published',
    create: [...onH2, '--publish', '8087:80', image],
    befall: refused('service', 'create', '--detach', '--name', 'second', '--publish', '8087:80', image),
    refusal:
      "Error response from daemon: rpc error: code = InvalidArgument desc = port '8087' is already in use by service 'port-published' (<id>) as an ingress port",
    error: '',
    why: '1 of 1 tasks run, 1 of them ready',
    metric: request('POST', '/services/create', '400'),
  },
];

/** While h1 is paused and h3 is drained. */
export const whileNodesTakeNoTasks: readonly Incident[] = [
  {
    name: 'The node it belongs on is paused',
    service: 'node-paused',
    create: [...on('h1'), image],
    error:
      'no suitable node (2 nodes not available for new tasks: 1 drained, 1 paused; scheduling constraints not satisfied on 1 node; wants node.hostname==h1)',
    metric: { name: 'plimsoll_node_spec_availability', labels: { node: 'h1', availability: 'pause' } },
  },
  {
    name: 'The node it belongs on is drained',
    service: 'node-drained',
    create: [...on('h3'), image],
    error:
      'no suitable node (2 nodes not available for new tasks: 1 drained, 1 paused; scheduling constraints not satisfied on 1 node; wants node.hostname==h3)',
    metric: { name: 'plimsoll_node_spec_availability', labels: { node: 'h3', availability: 'drain' } },
  },
];

/** While everything of the cluster works. */
export const whileNodesAreWell: readonly Incident[] = [...attempts, ...placements, ...updates, ...refusals];

/** While the cable of h3 is out and the engine of h2 is frozen. */
export const whileNodesAreIll: readonly Incident[] = [
  {
    name: 'Its node is lost',
    service: 'node-lost',
    create: [...on('h3'), image],
    error: 'its node h3 is lost',
    metric: nodeState('h3', 'lost'),
  },
  {
    name: 'The node with its volume is lost',
    service: 'volume-away',
    create: [...on('h3'), '--mount', 'type=volume,source=incident-data,target=/data', image],
    befall: async (cluster) => {
      await cluster.settled('volume-away', 1);
      return cluster
        .docker('service', 'update', '--detach', '--constraint-rm', 'node.hostname==h3', 'volume-away')
        .then(() => '');
    },
    error:
      'no suitable node (waits for h3, which has its volume incident-data: 1 node not available for new tasks: 1 lost)',
    metric: pending('volume-away', 'volume'),
  },
  {
    name: 'The engine of its node is frozen',
    service: 'engine-frozen',
    create: [...onH2, image],
    error: 'the Docker Engine of its node h2 does not answer',
    metric: nodeState('h2', 'engine-unresponsive'),
  },
];

/** After h3 was cut off for long enough. */
export const afterPartition: readonly Incident[] = [
  {
    name: 'Its node was cut off, and it may not run unseen',
    service: 'cut-off',
    create: [
      ...on('h3'),
      '--stop-grace-period=0s',
      '--label=plimsoll.failover.after=5s',
      '--label=plimsoll.failover.on-disconnect=stop',
      image,
    ],
    error: 'this node has not heard the leader for plimsoll.failover.after, and plimsoll.failover.on-disconnect=stop',
    metric: failure('cut-off'),
  },
];

function often(): string[] {
  return ['--health-interval', '200ms', '--health-retries', '1', '--health-timeout', '10s'];
}

/** An update of a service that runs. */
function updated(service: string, ...flags: string[]): (cluster: Cluster) => Promise<string> {
  return async (cluster) => {
    await cluster.settled(service, 1);
    return cluster.docker('service', 'update', '--detach', '--no-resolve-image', ...flags, service).then(() => '');
  };
}

/** A command that is to be refused. */
function refused(...args: string[]): (cluster: Cluster) => Promise<string> {
  return async (cluster) => {
    const { stderr } = await cluster.try(...args);
    return stderr.trim();
  };
}
