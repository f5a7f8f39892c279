/** What services are scaled by in the benchmark; each is to have one replica at the load before the step and four after it. */

export interface Source {
  readonly name: string;
  /** Options of `docker service create`. */
  readonly options: readonly string[];
  /** Requests a second before the step; four times as many after it. */
  readonly rate: number;
  readonly path: string;
  /** Until the first added replica is ready. */
  readonly goalSeconds: number;
  /** What of PromQL tells the load in replicas that would be at their target just so; `service` is its name. */
  readonly load: (service: string) => string;
  /** Rules of Prometheus it needs; `service` is its name. */
  readonly rules?: (service: string) => string;
}

const label = (name: string, value: string) => ['--label', `plimsoll.${name}=${value}`];
export const MOST_REPLICAS = 8;
const bounds = label('autoscale.max', String(MOST_REPLICAS));
/** Not the default's five minutes: a run would take as long for each load that goes. */
export const shortDownWindow: readonly string[] = label('autoscale.down-window', '10s');

/** Connections a replica carries where they are what counts. */
const CONNECTIONS = 10;
/** Of it, before the step: four times as much fills four replicas and is no five, however it jumps about while it is counted. */
const SHARE = 0.93;
/** And cores: 60 % of the 0.2 it reserves. */
const CORES = 0.12;
const connectionLoad = (service: string) =>
  `sum(rate(plimsoll_task_connections_total{service="${service}"}[15s])) / ${CONNECTIONS}`;

export const sources: readonly Source[] = [
  {
    name: 'cpu',
    // 10 requests a second of 10 ms each are half of what a replica reserves.
    options: [...bounds, ...label('autoscale.cpu', '60%'), '--reserve-cpu', '0.2'],
    rate: 10,
    path: '/burn?ms=10',
    goalSeconds: 6,
    load: (service) =>
      `sum(rate(container_cpu_usage_seconds_total{container_label_com_docker_swarm_service_name="${service}"}[15s])) / ${CORES}`,
  },
  {
    name: 'connections',
    options: [...bounds, ...label('autoscale.connections', String(CONNECTIONS))],
    rate: CONNECTIONS * SHARE,
    path: '/healthz',
    goalSeconds: 3,
    load: connectionLoad,
  },
  {
    name: 'alert',
    options: [...bounds, ...label('alerts', 'scale-up')],
    rate: CONNECTIONS * SHARE,
    path: '/healthz',
    goalSeconds: 15,
    load: connectionLoad,
    rules: (service) => `groups:
  - name: bench
    rules:
      - alert: NeedsReplicas
        expr: ceil(${connectionLoad(service)}) > 1
        labels: { plimsoll_service: ${service}, plimsoll_action: scale-up }
        annotations: { plimsoll_replicas: '{{ $value }}' }
`,
  },
];
