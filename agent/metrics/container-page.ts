/** The lines of a page, gathered container by container and told metric by metric, as the text format wants them. */
import { type ContainerMetricName, containerMetrics, type Put } from './metric-catalogue.ts';
import type { SeriesHeads } from './series-heads.ts';

const names = Object.keys(containerMetrics) as ContainerMetricName[];

export class ContainerPage {
  private readonly lines = new Map<ContainerMetricName, string[]>(names.map((name) => [name, []]));

  /** Takes the numbers of one container. */
  putFor(heads: SeriesHeads): Put {
    return (metric, value, labels) => {
      if (value === undefined || Number.isNaN(value)) return;
      this.lines.get(metric)?.push(heads.of(metric, labels) + value);
    };
  }

  /** Prometheus text, a piece per metric; metrics without samples are left out. */
  *pieces(): Generator<string> {
    for (const [name, lines] of this.lines) {
      if (lines.length === 0) continue;
      const { type, help } = containerMetrics[name];
      yield [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
    }
  }
}
