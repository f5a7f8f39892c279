/** What a scrape of the agent costs, and what the same data costs by other ways. */
import { writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { forEachConcurrently, secondsOf } from '../measure.ts';
import type { Probe } from '../probe/probe.ts';
import { takeRecording } from '../probe/recording.ts';
import { cpuMsOf } from '../process-cost.ts';
import type { Figures } from '../report.ts';
import type { BenchHost } from './bench-host.ts';
import type { FileOperation } from './file-operation.ts';

/** The just-in-time compiler has done its work by then, as in an agent that has run for minutes. */
const WARM_UP_SCRAPES = 10;
const STATS_AT_ONCE = 8;

export interface Goals {
  readonly cpu?: string;
  readonly stall?: string;
}

/** CPU time of the agent and of its engine per scrape, and the longest time its event loop stood still. */
export async function measureScrapes(
  host: BenchHost,
  probe: Probe,
  options: { readonly scrapes: number; readonly column: string; readonly goals: Goals; readonly figures: Figures },
): Promise<void> {
  const { scrapes, column, goals, figures } = options;
  for (let done = 0; done < WARM_UP_SCRAPES; done += 1) await host.scrape();
  const enginePids = host.enginePids();
  for (let done = 0; done < scrapes; done += 1) {
    const engineBefore = cpuMsOf(enginePids);
    const before = await probe.cost();
    const page = await host.scrape();
    const after = await probe.cost();
    figures.add('scrape: CPU of the agent', column, after.cpuMs - before.cpuMs, 'ms', goals.cpu);
    figures.add('scrape: CPU of the engine', column, cpuMsOf(enginePids) - engineBefore, 'ms');
    figures.add('scrape: size of the page', column, page.length / 1000, 'kB');
  }
  for (let done = 0; done < scrapes; done += 1) {
    await probe.watchStalls();
    await host.scrape();
    figures.add('scrape: longest stall', column, (await probe.stalls()).longestMs, 'ms', goals.stall);
  }
  figures.add('memory after the scrapes (RSS)', column, (await probe.cost()).rssBytes / 1e6, 'MB');
}

/** The file operations of one scrape, out of an agent that runs for this alone. */
export async function recordScrape(host: BenchHost): Promise<FileOperation[]> {
  const socketPath = host.pathOf('record.sock');
  await host.restartAgentRecorded(socketPath);
  for (let done = 0; done < WARM_UP_SCRAPES; done += 1) await host.scrape();
  await takeRecording(socketPath);
  await host.scrape();
  return takeRecording(socketPath);
}

/** The same files, read in the host's network by a program that does nothing else. */
export async function measureBareReads(
  host: BenchHost,
  operations: readonly FileOperation[],
  options: { readonly passes: number; readonly column: string; readonly figures: Figures },
): Promise<void> {
  const work = host.pathOf('bare-reads.json');
  writeFileSync(work, JSON.stringify({ operations, warmUpPasses: WARM_UP_SCRAPES, passes: options.passes }));
  const program = fileURLToPath(new URL(`./bare-reads${extname(import.meta.url)}`, import.meta.url));
  const printed = await host.on(process.execPath, program, work);
  options.figures.add('files a scrape reads', options.column, operations.length, '');
  for (const cpuMs of z.array(z.number()).parse(JSON.parse(printed))) {
    options.figures.add('bare reads of the same files: CPU', options.column, cpuMs, 'ms');
  }
}

/** `docker stats` of every container, once: CPU of dockerd, containerd and shims. */
export async function measureEngineStats(
  host: BenchHost,
  options: { readonly sweeps: number; readonly column: string; readonly figures: Figures },
): Promise<void> {
  const containers = await host.engine.containers();
  const enginePids = host.enginePids();
  for (let done = 0; done < options.sweeps; done += 1) {
    const before = cpuMsOf(enginePids);
    const seconds = await secondsOf(() =>
      forEachConcurrently(containers, STATS_AT_ONCE, ({ Id }) =>
        host.engine.call('GET', `/containers/${Id}/stats?stream=0&one-shot=1`),
      ),
    );
    options.figures.add('docker stats of all: CPU of the engine', options.column, cpuMsOf(enginePids) - before, 'ms');
    options.figures.add('docker stats of all: duration', options.column, seconds * 1000, 'ms');
  }
}
