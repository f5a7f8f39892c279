/** The end of an answer that would go on for ever. */
import type { Response } from 'express';

/** Aborts when the client has left or the coordinator stops. Nothing of it stays on `closing`, which lives long. */
export function clientSignal(res: Response, closing: AbortSignal): AbortSignal {
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  if (closing.aborted || res.destroyed) leave();
  closing.addEventListener('abort', leave, { once: true });
  res.once('close', () => {
    closing.removeEventListener('abort', leave);
    leave();
  });
  return leaving.signal;
}
