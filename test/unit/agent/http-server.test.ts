import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AgentHttp, serveHttp } from '../../../agent/http-server.ts';
import { createLog } from '../../../runtime/log.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const PIECE = Buffer.alloc(1_000, 'x');
const PIECES = 40;
const LARGE_PIECE = Buffer.alloc(64 << 10, 'x');

/** Pieces that note in which turn of the event loop each of them was asked for. */
function watchedPieces() {
  let turn = 0;
  let isWatching = true;
  const takenInTurn: number[] = [];
  const watch = () => {
    turn += 1;
    if (isWatching) setImmediate(watch);
  };
  const stop = () => {
    isWatching = false;
  };
  const pieces: readonly Uint8Array[] = Object.assign([], {
    *[Symbol.iterator]() {
      for (let index = 0; index < PIECES; index += 1) {
        takenInTurn.push(turn);
        yield PIECE;
      }
    },
  });
  watch();
  return { pieces, takenInTurn, stop };
}

describe("an agent's page", () => {
  let watched: ReturnType<typeof watchedPieces>;
  let released = 0;
  let http: AgentHttp;
  let time: FakeClock;
  let pieces: readonly Uint8Array[];

  beforeEach(async () => {
    released = 0;
    let elapsedMs = 0;
    time = new FakeClock();
    // Whoever looks at this clock has worked for another millisecond.
    const clock = { elapsedMs: () => (elapsedMs += 1), after: time.after.bind(time) };
    const release = () => {
      released += 1;
    };
    watched = watchedPieces();
    pieces = watched.pieces;
    const metricsPage = async () => ({ pieces, release });
    const healthy = () => ({ healthy: true, why: 'ok' });
    http = await serveHttp(0, { log: createLog('test', 'silent'), metricsPage, healthy }, clock);
  });

  afterEach(async () => {
    watched.stop();
    await http.stop();
  });

  it('is sent whole, in turns short enough for other work', async () => {
    const response = await fetch(`http://127.0.0.1:${http.port}/metrics`);

    expect((await response.text()).length).toBe(PIECES * PIECE.length);
    expect(released).toBe(1);
    expect(new Set(watched.takenInTurn).size).toBeGreaterThan(PIECES / 4);
  });

  it('is released when its reader goes away in the middle', async () => {
    const socket = connect(http.port, '127.0.0.1');
    socket.write('GET /metrics HTTP/1.1\r\nHost: agent\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();

    await eventually(() => released === 1);
  });

  it('is released when its reader takes nothing of it for too long', async () => {
    // More than the kernel holds for a reader.
    pieces = Array.from({ length: 1_000 }, () => LARGE_PIECE);
    const socket = connect(http.port, '127.0.0.1');
    socket.write('GET /metrics HTTP/1.1\r\nHost: agent\r\n\r\n');
    await once(socket, 'data');
    socket.pause();

    await time.advance(59_999);
    expect(released).toBe(0);
    await time.advance(1);
    await eventually(() => released === 1);
    socket.destroy();
  });
});
