/** The series of a page, gathered container by container and told metric by metric, as the text format wants them. */
import type { Series } from './container-series.ts';
import { type ContainerMetricName, containerMetrics } from './metric-catalogue.ts';
import type { PageWriter } from './page-writer.ts';
import type { Turns } from './turns.ts';

const names = Object.keys(containerMetrics) as ContainerMetricName[];
/** Lines written between two looks at the clock. */
const LINES_AT_ONCE = 200;

export class ContainerPage {
  private readonly seriesByName = new Map<ContainerMetricName, Series[]>(names.map((name) => [name, []]));

  add(all: readonly Series[]): void {
    for (const series of all) this.seriesByName.get(series.metric)?.push(series);
  }

  /** Metrics without series are left out. */
  async write(writer: PageWriter, turns: Turns): Promise<void> {
    for (const [name, all] of this.seriesByName) {
      if (all.length === 0) continue;
      const { type, help } = containerMetrics[name];
      writer.text(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
      const beginning = Buffer.from(`${name}{`);
      for (let first = 0; first < all.length; first += LINES_AT_ONCE) {
        for (const series of all.slice(first, first + LINES_AT_ONCE)) writeLine(writer, beginning, series);
        await turns.yieldIfLong();
      }
    }
  }
}

function writeLine(writer: PageWriter, beginning: Uint8Array, { identity, ending, value }: Series): void {
  writer.bytes(beginning);
  writer.bytes(identity);
  writer.bytes(ending);
  writer.value(value);
}
