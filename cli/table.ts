/** Tables as docker's CLI prints them: upper-case headings, columns of at least 10 characters, 3 spaces between. */
import { stripVTControlCharacters } from 'node:util';

const MIN_WIDTH = 10;
const GAP = 3;

/** The text of a table, one line per row, no blanks at line ends. Pure. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) =>
    Math.max(MIN_WIDTH, ...lines.map((line) => visibleLength(line[column] ?? '') + GAP)),
  );
  return lines.map((line) => `${formatLine(line, widths)}\n`).join('');
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - visibleLength(cell))))
    .join('')
    .trimEnd();
}

/** Colour codes take no room on the screen. */
function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}
