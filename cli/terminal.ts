/** Where a command writes, and what that place can show. */
import { createColors } from 'picocolors';

export interface Terminal {
  /** Results. */
  out(text: string): void;
  /** Progress and errors. */
  err(text: string): void;
  readonly colors: ReturnType<typeof createColors>;
  /** Of the screen results appear on, as it is now; undefined where nobody watches. */
  screenSize(): { readonly columns: number; readonly rows: number } | undefined;
}

/** The process' own terminal; colours only where a person reads them and NO_COLOR is unset. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endQuietlyOnClosedPipe);
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    screenSize: () => (process.stdout.isTTY ? process.stdout : undefined),
    colors: createColors(process.stdout.isTTY && !process.env.NO_COLOR),
  };
}

/** `plim ... | head`: the reader has enough, which is no failure of ours. */
function endQuietlyOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
}
