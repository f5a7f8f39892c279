/**
 * Connections that stop being HTTP: `docker exec` and `attach` ask for an upgrade and then send and read a terminal's bytes.
 * An upgraded request runs through the same routes as any other; only the one that hijacks takes its socket.
 */
import { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Request } from 'express';
import type { Clock } from '../../../runtime/clock.ts';
import { ApiError } from './responses.ts';

/** What a client may put into the request it upgrades: the options of an exec. */
export const MAX_BODY_BYTES = 64 * 1024;
/** How often a client that sends no more is looked for. */
export const PROBE_MS = 1_000;

interface Upgrade {
  readonly socket: Socket;
  readonly head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/** For the server's `upgrade` event: lets `handle` answer it as any request; it may also hijack it. */
export function upgradable(handle: RequestListener): (req: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (req, duplex, head) => {
    const socket = duplex as Socket;
    const res = new ServerResponse(req);
    upgrades.set(req, { socket, head });
    socket.on('error', () => socket.destroy());
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    res.once('finish', () => socket.destroySoon());
    handle(req, res);
  };
}

/** A connection a client has asked to have for itself. */
export interface HijackedConnection {
  readonly socket: Socket;
  /** The request's own body. */
  readonly body: string;
  /** What the client sends after it; ends when the client says so, fails when the client is gone. */
  readonly input: AsyncIterable<Uint8Array>;
}

/** Undefined when the client did not ask for an upgrade. Throws ApiError for a body that cannot be told from what follows. */
export async function hijacked(req: Request, clock: Clock): Promise<HijackedConnection | undefined> {
  const upgrade = upgrades.get(req);
  if (upgrade === undefined) return undefined;
  const bodyBytes = Number(req.headers['content-length'] ?? 0);
  if (req.headers['transfer-encoding'] !== undefined || !(bodyBytes <= MAX_BODY_BYTES)) {
    throw new ApiError(400, `a request to upgrade must have a Content-Length of ${MAX_BODY_BYTES} bytes at most`);
  }
  const { socket, head } = upgrade;
  if (head.length > 0) socket.unshift(head);
  // Before anything is read: a client may be gone with its last byte.
  socket.once('end', () => destroyWhenPeerIsGone(socket, clock));
  const body = await readExactly(socket, bodyBytes);
  return { socket, body: body.toString('utf8'), input: socket.iterator({ destroyOnReturn: false }) };
}

async function readExactly(socket: Socket, byteCount: number): Promise<Buffer> {
  if (byteCount === 0) return Buffer.alloc(0);
  for (;;) {
    const bytes: Buffer | null = socket.read(byteCount);
    if (bytes?.length === byteCount) return bytes;
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw new ApiError(400, 'the body is cut off');
    await new Promise<void>((resolve) => {
      const settle = () => {
        for (const event of ['readable', 'end', 'close']) socket.off(event, settle);
        resolve();
      };
      for (const event of ['readable', 'end', 'close']) socket.once(event, settle);
    });
  }
}

/**
 * A client that was killed looks like one that has no more input. Writing nothing tells them apart: the kernel refuses it
 * on a connection nobody reads (EPIPE), and the socket's error destroys it.
 */
function destroyWhenPeerIsGone(socket: Socket, clock: Clock): void {
  const probe = () => {
    if (socket.destroyed || socket.writableEnded) return;
    socket.write(Buffer.alloc(0));
    cancel = clock.after(PROBE_MS, probe);
  };
  let cancel = clock.after(PROBE_MS, probe);
  socket.once('close', () => cancel());
}
