/** What the agent writes as bytes, as text. */
import { type MetricsPage, PageMemory, PageWriter } from '../../agent/metrics/page-writer.ts';
import { Turns } from '../../agent/metrics/turns.ts';
import { FakeClock } from './fake-clock.ts';

/** Releases the page. */
export function pageText({ pieces, release }: MetricsPage): string {
  const text = Buffer.concat(pieces).toString();
  release();
  return text;
}

/** What `write` writes; time stands still meanwhile. */
export async function textWritten(write: (writer: PageWriter, turns: Turns) => Promise<unknown>): Promise<string> {
  const writer = new PageWriter(new PageMemory());
  await write(writer, new Turns(new FakeClock()));
  return pageText(writer.finish().lend());
}
