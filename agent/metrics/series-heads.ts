/** The rendered beginnings of one container's lines, made once: `container_memory_rss{id="…",name="…"} `. */
import type { ContainerMetricName } from './metric-catalogue.ts';

export class SeriesHeads {
  /** The container's labels, rendered. */
  readonly identity: string;
  private readonly plain = new Map<ContainerMetricName, string>();
  private readonly labelled = new Map<ContainerMetricName, Map<string, string>>();

  constructor(identity: string) {
    this.identity = identity;
  }

  /** `labels`: rendered, beside those of the container. */
  of(metric: ContainerMetricName, labels: string | undefined): string {
    const known = labels === undefined ? this.plain.get(metric) : this.labelled.get(metric)?.get(labels);
    return known ?? this.add(metric, labels);
  }

  private add(metric: ContainerMetricName, labels: string | undefined): string {
    // Joined rather than added up: the text is one piece then, and cheap to copy.
    const head = [metric, '{', this.identity, labels ? `,${labels}` : '', '} '].join('');
    if (labels === undefined) this.plain.set(metric, head);
    else {
      const heads = this.labelled.get(metric) ?? new Map<string, string>();
      this.labelled.set(metric, heads.set(labels, head));
    }
    return head;
  }
}
