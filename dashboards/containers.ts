/** Series of containers as the boards ask for them: by service, node and the name of the task. */
import { onNodes, rate } from './promql.ts';

export const SERVICE_LABEL = 'container_label_com_docker_swarm_service_name';

/** Containers of the services chosen, on the nodes chosen. */
export function ofServices(metric: string, ...matchers: readonly string[]): string {
  return onNodes(metric, `${SERVICE_LABEL}=~"$service"`, ...matchers);
}

/** Each task's own, by `task`: `web.2 on h1`, whatever attempt. */
export function byTask(expr: string): string {
  return `sum by (task) (${taskNamed(expr)})`;
}

export function highestByTask(expr: string): string {
  return `max by (task) (${taskNamed(expr)})`;
}

/** A gauge of each task. */
export function each(metric: string): string {
  return byTask(ofServices(metric));
}

export function highest(metric: string): string {
  return highestByTask(ofServices(metric));
}

/** A counter of each task, per second. */
export function rateEach(metric: string): string {
  return byTask(rateOf(metric));
}

/** Traffic of each task with all disks together: they would need a line each, and a task has few. */
export function onDisks(what: string): string {
  return rateEach(`container_fs_${what}`);
}

/** Lines of each task, several to a task. */
export function taskLines(series: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(series).map(([what, expr]) => [`{{task}} ${what}`, expr]));
}

/** The service's sum, under the short label `service`. */
export function byService(expr: string): string {
  return `sum by (service) (label_replace(${expr}, "service", "$1", "${SERVICE_LABEL}", "(.+)"))`;
}

export function rateOf(metric: string, ...matchers: readonly string[]): string {
  return rate(ofServices(metric, ...matchers));
}

/**
 * `web.2 on h1`: containers are named `<service>.<slot>.<task id>`, of a global service `<service>.<node id>.<task id>`.
 * Without the ids an attempt continues the line of the one before.
 */
export function taskNamed(expr: string): string {
  const place = `label_join(${expr}, "place", " ", "name", "instance")`;
  return `label_replace(${place}, "task", "$1 on $3", "place", "(.+?)([.][a-z0-9]{25})* (\\\\S+)")`;
}
