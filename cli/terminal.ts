/** Where a command writes, and what that place can show. */
import { createColors } from 'picocolors';

export interface Terminal {
  /** Results. */
  out(text: string): void;
  /** Progress and errors. */
  err(text: string): void;
  readonly colors: ReturnType<typeof createColors>;
}

/** The process' own terminal; colours only where a person reads them and NO_COLOR is unset. */
export function processTerminal(): Terminal {
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    colors: createColors(process.stdout.isTTY === true && !process.env.NO_COLOR),
  };
}
