/** The choices at the head of the boards, each narrowed by those before it. */
import type { Variable } from './board.ts';

/** Jobs of Prometheus: one for agents and one for coordinators as shipped, others where one Prometheus watches several clusters. */
export const job: Variable = {
  name: 'job',
  title: 'Job',
  selector: 'plimsoll_build_info',
  label: 'job',
  all: '.+',
};

/** Hosts that run an agent. */
export const instance: Variable = {
  name: 'instance',
  title: 'Node',
  selector: 'plimsoll_build_info{job=~"$job",component="agent"}',
  label: 'instance',
  all: '.+',
};

/** Hosts that run an agent, a coordinator or both. */
export const daemonHost: Variable = { ...instance, selector: 'plimsoll_build_info{job=~"$job"}' };

export const stack: Variable = {
  name: 'stack',
  title: 'Stack',
  selector: 'plimsoll_service_info{job=~"$job"}',
  label: 'stack',
  all: '.*',
};

export const services: Variable = {
  name: 'service',
  title: 'Service',
  selector: 'plimsoll_service_info{job=~"$job",stack=~"$stack"}',
  label: 'service',
  all: '.+',
};

/** One at a time. */
export const service: Variable = {
  name: 'service',
  title: 'Service',
  selector: 'plimsoll_service_info{job=~"$job",stack=~"$stack"}',
  label: 'service',
};

export const scalingServices: Variable = {
  ...services,
  selector: 'plimsoll_autoscaler_max_replicas{job=~"$job",stack=~"$stack"}',
};
