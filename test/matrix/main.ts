/**
 * `npm run matrix`: every fault against every part of a cluster while it does everything, in labs of three real hosts.
 * Prints what happened cell by cell and the times to heal as a table. Needs root (scripts/lab makes the hosts).
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../runtime/errors.ts';
import { type Lab, type LabPlace, labUp } from '../support/lab.ts';
import { MatrixLab } from './baseline.ts';
import { type Cell, cellsOf, faults, nameOf, phases, runAs, targets } from './cell.ts';
import { readResults, type StoredResult, summaryOf, tableOf, writeResults } from './results.ts';
import { runCell } from './run-cell.ts';

const USAGE = `Usage: npm run matrix -- [--fault F]... [--target T]... [--phase P]... [--labs N | --lab NAME=SUBNET...]
                         [--results FILE] [--resume]

  --fault    ${faults.join(', ')}
  --target   ${targets.join(', ')}
  --phase    ${phases.join(', ')}
  --labs     how many labs share the work (1)
  --lab      the name and subnet of a lab, such as mine=10.99.70; once per lab
  --results  JSON of what was found (${join(tmpdir(), 'plimsoll-matrix.json')})
  --resume   leave out the cells that have passed, by that file

Ends with 1 when a cell failed.`;

interface MatrixOptions {
  readonly cells: readonly Cell[];
  readonly places: readonly LabPlace[];
  readonly resultsPath: string;
  readonly resume: boolean;
}

function readOptions(): MatrixOptions | undefined {
  const { values } = parseArgs({
    options: {
      fault: { type: 'string', multiple: true },
      target: { type: 'string', multiple: true },
      phase: { type: 'string', multiple: true },
      labs: { type: 'string', default: '1' },
      lab: { type: 'string', multiple: true },
      results: { type: 'string', default: join(tmpdir(), 'plimsoll-matrix.json') },
      resume: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  refuseUnknown('--fault', values.fault, faults);
  refuseUnknown('--target', values.target, targets);
  refuseUnknown('--phase', values.phase, phases);
  const distinct = new Map(cellsOf(values).map((cell) => [nameOf(runAs(cell)), runAs(cell)]));
  const places = values.lab?.map(placeOf) ?? Array.from({ length: Number(values.labs) }, (_, index) => numbered(index));
  return { cells: [...distinct.values()], places, resultsPath: values.results, resume: values.resume };
}

function refuseUnknown(option: string, given: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = given?.find((value) => !known.includes(value));
  if (unknown === undefined) return;
  throw new Error(`Cannot run ${option} '${unknown}': wanted is one of ${known.join(', ')}`);
}

function placeOf(text: string): LabPlace {
  const [name = '', subnet = ''] = text.split('=');
  return { name, subnet };
}

function numbered(index: number): LabPlace {
  return { name: `matrix${index + 1}`, subnet: `10.99.${61 + index}` };
}

/** So many cells in a row that could not even begin: the lab itself is broken, or the build is. */
const HOPELESS_AFTER = 3;

/** Labs take cells from one queue; one that cannot reach its baseline is made anew. */
async function runAll({
  cells,
  places,
  resultsPath,
  resume,
}: MatrixOptions): Promise<ReadonlyMap<string, StoredResult>> {
  const results = resume ? readResults(resultsPath) : new Map<string, StoredResult>();
  const queue = cells.filter((cell) => results.get(nameOf(cell))?.violations.length !== 0);
  const take = (result: StoredResult) => {
    results.set(nameOf(result.cell), result);
    writeResults(resultsPath, results);
    process.stdout.write(`${told(result)}   ${queue.length} to go\n`);
  };
  await Promise.all(places.map((place) => workOff(place, queue, take)));
  return results;
}

async function workOff(place: LabPlace, queue: Cell[], take: (result: StoredResult) => void): Promise<void> {
  let lab: Lab | undefined;
  let matrixLab: MatrixLab | undefined;
  let notRunInARow = 0;
  for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
    try {
      lab ??= await labUp({ engine: 'plimsoll', hosts: 3, modern: 0, coordinators: 2, place });
      matrixLab ??= new MatrixLab(lab);
      take(await runCell(matrixLab, cell));
      notRunInARow = 0;
    } catch (error) {
      take(notRun(cell, error));
      notRunInARow += 1;
      if (notRunInARow >= HOPELESS_AFTER) throw error;
      await matrixLab?.close();
      matrixLab = undefined;
      lab = undefined;
    }
  }
  await matrixLab?.close();
  await lab?.down();
}

function notRun(cell: Cell, error: unknown): StoredResult {
  const violations = [`could not be run: ${messageOf(error)}`];
  return { cell, startedAt: new Date().toISOString(), violations, faultMs: 0, healMs: 0, outageMs: 0 };
}

function told({ cell, startedAt, violations, healMs, outageMs }: StoredResult): string {
  const times = `whole after ${(healMs / 1000).toFixed(1)} s, outage ${(outageMs / 1000).toFixed(1)} s`;
  const lines = [`${violations.length === 0 ? 'ok    ' : 'FAILED'}  ${nameOf(cell)}: ${times} (${startedAt})`];
  return [...lines, ...violations.map((violation) => `          ${violation}`)].join('\n');
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const results = await runAll(options);
  process.stdout.write(
    `\nSeconds from the fault until all is whole (without all replicas of an untouched service):\n\n`,
  );
  process.stdout.write(`${tableOf(results)}\n\n* the same act as the one against the host\n${summaryOf(results)}\n`);
  process.exitCode = [...results.values()].some(({ violations }) => violations.length > 0) ? 1 : 0;
}

await main().catch((error: unknown) => {
  process.stderr.write(`matrix: error: ${messageOf(error)}\n`);
  process.exitCode = 2;
});
