/** Ids as Swarm writes them: 25 characters of a-z0-9. */
import { hash, randomBytes } from 'node:crypto';

const ID_LENGTH = 25;

/** Of 20 bytes in hexadecimal. */
function toId(hex: string): string {
  return BigInt(`0x${hex}`).toString(36).padStart(ID_LENGTH, '0').slice(-ID_LENGTH);
}

/** An id nobody has had before. */
export function randomId(): string {
  return toId(randomBytes(20).toString('hex'));
}

/** The id that always follows from the same words: whoever derives it, derives the same. Pure. */
export function derivedId(...words: readonly (string | number)[]): string {
  return toId(hash('sha256', words.join('\0'), 'hex').slice(0, 40));
}

/** The id of one attempt of a task, as labels, logs and the Engine API show it. Attempt 1 has the task's own id. */
export function attemptId(taskId: string, attempt: number): string {
  return attempt <= 1 ? taskId : derivedId('attempt', taskId, attempt);
}
