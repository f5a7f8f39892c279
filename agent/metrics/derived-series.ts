/** Series that follow from the texts of a container's files, worked out anew only when one of the texts is another. */
import type { CgroupFiles } from './container-cgroups.ts';
import { ContainerSeries, type Series } from './container-series.ts';
import type { TextSource } from './kernel-files.ts';
import type { Put } from './metric-catalogue.ts';

/** The text of a source, which is from then on one that is looked at. */
export type ReadSource = (source: TextSource) => string | undefined;

export class DerivedSeries {
  private readonly series: ContainerSeries;
  private readonly texts = new Map<TextSource, string | undefined>();
  private isDerived = false;

  constructor(identity: Uint8Array) {
    this.series = new ContainerSeries(identity);
  }

  all(): readonly Series[] {
    return this.series.all();
  }

  /**
   * Reads the sources looked at so far, settings only if asked for. `derive` must put the same for the same texts: it is
   * left out then.
   */
  refresh(withSettings: boolean, derive: (read: ReadSource, put: Put) => void): void {
    if (!this.hasChanged(withSettings) && this.isDerived) return;
    this.series.rewrite((put) => derive(this.read, put));
    this.isDerived = true;
  }

  /** Reads them all, so that what is derived is of one moment. */
  private hasChanged(withSettings: boolean): boolean {
    let hasChanged = false;
    for (const [source, known] of this.texts) {
      if (source.isSetting && !withSettings) continue;
      const text = source.read();
      if (text === known) continue;
      this.texts.set(source, text);
      hasChanged = true;
    }
    return hasChanged;
  }

  private readonly read: ReadSource = (source) => {
    if (!this.texts.has(source)) this.texts.set(source, source.read());
    return this.texts.get(source);
  };
}

/** The same files, read through `read`. */
export function readThrough(files: CgroupFiles, read: ReadSource): CgroupFiles {
  return {
    ...files,
    v1: (file) => read(files.sourceV1(file)),
    v2: (file) => read(files.sourceV2(file)),
  };
}
