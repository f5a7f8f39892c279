/** The nastiest cells of the fault matrix; `npm run matrix` runs all 144. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MatrixLab } from '../matrix/baseline.ts';
import { type Cell, nameOf } from '../matrix/cell.ts';
import { runCell } from '../matrix/run-cell.ts';
import { type Lab, labUp } from '../support/lab.ts';

const place = { name: 'cells', subnet: '10.99.66' } as const;

const cells: readonly Cell[] = [
  { fault: 'cut 1 s', target: 'nats', phase: 'updating' },
  { fault: 'kill', target: 'leader', phase: 'updating' },
  { fault: 'kill', target: 'nats', phase: 'scaling down' },
  { fault: 'kill', target: 'dockerd', phase: 'deploying' },
  { fault: 'kill', target: 'host', phase: 'updating' },
];

describe('fault matrix', () => {
  let lab: Lab;
  let matrixLab: MatrixLab;

  beforeAll(async () => {
    lab = await labUp({ engine: 'plimsoll', hosts: 3, modern: 0, coordinators: 2, place });
    matrixLab = new MatrixLab(lab);
  });

  afterAll(async () => {
    await matrixLab?.close();
    await lab?.down();
  });

  it.each(cells.map((cell) => [nameOf(cell), cell] as const))('%s', async (_name, cell) => {
    expect((await runCell(matrixLab, cell)).violations.join('\n')).toBe('');
  });
});
