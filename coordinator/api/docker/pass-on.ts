/** Passes an answer of a node's engine on to a client: as plain HTTP, or on a connection the client has hijacked. */
import type { Request, Response } from 'express';
import { messageOf } from '../../../runtime/errors.ts';
import {
  type EngineAnswer,
  type EngineRequest,
  openSession,
  type SessionOptions,
  type SessionParts,
} from '../../sessions/engine-session.ts';
import { clientSignal } from './client-signal.ts';
import type { HijackedConnection } from './hijack.ts';
import { encodeFrame, STREAM_ERROR } from './log-frames.ts';
import { pacedWriter } from './paced-writer.ts';

/** What a client that already reads is told when its answer breaks off; undefined: the connection is cut, which it notices. */
export type LastWords = (sentence: string) => Buffer | undefined;

export const lastWordsInFrame: LastWords = (sentence) => encodeFrame(STREAM_ERROR, Buffer.from(sentence));
const lastWordsOnTerminal: LastWords = (sentence) => Buffer.from(`\r\n${sentence}\r\n`);
/** Clients show what is no JSON as the error; the Error field an engine has for it they print as an exit code. */
export const lastWordsOfWait: LastWords = (sentence) => Buffer.from(sentence);

/** The request's body, for an engine that wants one; undefined when it has none. */
export function bodyOf(req: Request): AsyncIterable<Uint8Array> | undefined {
  const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
  return hasBody ? req : undefined;
}

export function queryOf(req: Request): string {
  const question = req.url.indexOf('?');
  return question < 0 ? '' : req.url.slice(question + 1);
}

/** Writes the answer as it comes, no faster than the client reads. */
export async function passOn(
  { head, chunks }: EngineAnswer,
  res: Response,
  signal: AbortSignal,
  lastWords: LastWords = () => undefined,
): Promise<void> {
  res.statusCode = head.status;
  if (head.contentType !== undefined) res.setHeader('Content-Type', head.contentType);
  if (head.pathStat !== undefined) res.setHeader('X-Docker-Container-Path-Stat', head.pathStat);
  if (head.status !== 204 && head.status !== 304) res.flushHeaders();
  const write = pacedWriter(res, signal);
  try {
    for await (const chunk of chunks) await write(Buffer.from(chunk));
    res.end();
  } catch (error) {
    const words = lastWords(messageOf(error));
    if (words === undefined || signal.aborted) res.destroy();
    else res.end(words);
  }
}

/** A session with a process of a container. */
export interface ProcessSession {
  readonly nodeId: string;
  readonly request: EngineRequest;
  /** See SessionOptions. */
  readonly what: string;
  readonly tty: boolean;
}

/**
 * Joins the client's connection with the process on the node until either ends; a client that hijacked none only gets what
 * the process says. Throws while the client can still be told.
 */
export async function joinProcess(
  parts: SessionParts,
  connection: HijackedConnection | undefined,
  session: ProcessSession,
  res: Response,
  closing: AbortSignal,
): Promise<void> {
  if (connection !== undefined) return joinTerminal(parts, connection, session, res, closing);
  const { nodeId, request, what, tty } = session;
  const signal = clientSignal(res, closing);
  const answer = await openSession(parts, nodeId, request, { what, signal });
  await passOn(answer, res, signal, tty ? undefined : lastWordsInFrame);
}

async function joinTerminal(
  parts: SessionParts,
  connection: HijackedConnection,
  session: ProcessSession,
  res: Response,
  closing: AbortSignal,
): Promise<void> {
  const { socket, input } = connection;
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  closing.addEventListener('abort', leave, { once: true });
  socket.once('close', leave);
  if (closing.aborted || socket.destroyed) leave();
  try {
    const options: SessionOptions = { what: session.what, signal: leaving.signal, input };
    const answer = await openSession(parts, session.nodeId, { ...session.request, input: 'upgrade' }, options);
    if (!answer.head.upgraded) return await passOn(answer, res, leaving.signal);
    res.statusCode = 101;
    socket.write(upgradedHead(answer.head.contentType));
    await copyOutput(answer.chunks, connection, session.tty ? lastWordsOnTerminal : lastWordsInFrame, leaving.signal);
    socket.destroySoon();
  } finally {
    closing.removeEventListener('abort', leave);
  }
}

async function copyOutput(
  chunks: AsyncIterable<Uint8Array>,
  { socket }: HijackedConnection,
  lastWords: LastWords,
  signal: AbortSignal,
): Promise<void> {
  const write = pacedWriter(socket, signal);
  try {
    for await (const chunk of chunks) await write(Buffer.from(chunk));
  } catch (error) {
    if (!signal.aborted) socket.write(lastWords(messageOf(error)) ?? '');
  }
}

/** In the engine's words: old clients look for them. */
function upgradedHead(contentType = 'application/vnd.docker.raw-stream'): string {
  return `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`;
}
