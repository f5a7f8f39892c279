/** The series of one part of a container: what their lines begin with is rendered once, and only values are set anew. */
import type { ContainerMetricName, Put } from './metric-catalogue.ts';

export interface Series {
  readonly metric: ContainerMetricName;
  /** Rendered, beside those of the container; undefined for none. */
  readonly labels: string | undefined;
  /** The container's labels, rendered; all its series share them. */
  readonly identity: Uint8Array;
  /** From the container's labels to the value. */
  readonly ending: Uint8Array;
  value: number;
}

const plainEnding = Buffer.from('} ');

export class ContainerSeries {
  private readonly identity: Uint8Array;
  private readonly series: Series[] = [];
  private count = 0;

  constructor(identity: Uint8Array) {
    this.identity = identity;
  }

  all(): readonly Series[] {
    return this.series;
  }

  /** Takes what `measure` puts for all there is; numbers that come in the same order as before cost next to nothing. */
  rewrite<T>(measure: (put: Put) => T): T {
    this.count = 0;
    const result = measure(this.put);
    this.series.length = this.count;
    return result;
  }

  private readonly put: Put = (metric, value, labels) => {
    if (value === undefined || Number.isNaN(value)) return;
    const known = this.series[this.count];
    if (known?.metric === metric && known.labels === labels) known.value = value;
    else this.series[this.count] = this.create(metric, value, labels);
    this.count += 1;
  };

  private create(metric: ContainerMetricName, value: number, labels: string | undefined): Series {
    const ending = labels === undefined ? plainEnding : Buffer.from(`,${labels}} `);
    return { metric, labels, identity: this.identity, ending, value };
  }
}
