/** Labels our containers carry: what lets a restarted agent adopt them. Swarm's own are set too, dashboards join on them. */
export const containerLabels = {
  cluster: 'plimsoll.cluster.id',
  task: 'plimsoll.task.id',
  service: 'plimsoll.service.id',
  slot: 'plimsoll.slot',
  revision: 'plimsoll.revision',
  attempt: 'plimsoll.attempt',
  swarmNodeId: 'com.docker.swarm.node.id',
  swarmServiceId: 'com.docker.swarm.service.id',
  swarmServiceName: 'com.docker.swarm.service.name',
  swarmTask: 'com.docker.swarm.task',
  swarmTaskId: 'com.docker.swarm.task.id',
  swarmTaskName: 'com.docker.swarm.task.name',
  stackNamespace: 'com.docker.stack.namespace',
} as const;
