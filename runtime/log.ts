/** Structured logs: a constant sentence plus fields, one JSON object a line on standard error. */
import { destination, type Logger, pino } from 'pino';

export type Log = Logger;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** The root log of a process. Modules take a child: `log.child({ module: 'lease' })`. */
export function createLog(process: string, level: LogLevel): Log {
  return pino(
    {
      level,
      base: { process },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ fd: 2, sync: true }),
  );
}
