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
  /** Rules of Prometheus it needs; `service` is its name. */
  readonly rules?: (service: string) => string;
}

const label = (name: string, value: string) => ['--label', `plimsoll.${name}=${value}`];
const bounds = label('autoscale.max', '8');
/** Not the default's five minutes: a run would take as long for each load that goes. */
export const shortDownWindow: readonly string[] = label('autoscale.down-window', '10s');

/** Connections a replica carries where they are what counts. */
const CONNECTIONS = 10;

export const sources: readonly Source[] = [
  {
    name: 'cpu',
    // 10 requests a second of 10 ms each are half of what a replica reserves.
    options: [...bounds, ...label('autoscale.cpu', '60%'), '--reserve-cpu', '0.2'],
    rate: 10,
    path: '/burn?ms=10',
    goalSeconds: 6,
  },
  {
    name: 'connections',
    options: [...bounds, ...label('autoscale.connections', String(CONNECTIONS))],
    rate: CONNECTIONS,
    path: '/healthz',
    goalSeconds: 3,
  },
  {
    name: 'alert',
    options: [...bounds, ...label('alerts', 'scale-up')],
    rate: CONNECTIONS * 0.95,
    path: '/healthz',
    goalSeconds: 15,
    rules: (service) => `groups:
  - name: bench
    rules:
      - alert: NeedsReplicas
        expr: ceil(sum(rate(plimsoll_task_connections_total{service="${service}"}[15s])) / ${CONNECTIONS}) > 1
        labels: { plimsoll_service: ${service}, plimsoll_action: scale-up }
        annotations: { plimsoll_replicas: '{{ $value }}' }
`,
  },
];
