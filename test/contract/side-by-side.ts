/** Tests that mostly wait, each with a server of its own: only so many at a time that a small machine still answers in time. */
import { test } from 'vitest';

/** Waiting for one's turn counts. */
const TIMEOUT_MS = 180_000;

/** Declares concurrent tests of which at most `atATime` run at once. */
export function sideBySide(atATime: number): (name: string, work: () => Promise<void>) => void {
  let running = 0;
  const waiting: (() => void)[] = [];
  const takeTurn = async () => {
    if (running >= atATime) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
  };
  const passTurn = () => {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  };
  const declare = test.concurrent;
  return (name, work) =>
    declare(
      name,
      async () => {
        await takeTurn();
        try {
          await work();
        } finally {
          passTurn();
        }
      },
      TIMEOUT_MS,
    );
}
