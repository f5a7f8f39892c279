/** Answers the questions of this host's containers, on the addresses of its bridges. */
import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import { answerOf } from './answer.ts';
import type { Forward, Transport } from './forward.ts';
import { type Query, readQuery, writeAnswer, writeFailure } from './wire.ts';
import type { Zone } from './zone.ts';

/** Questions of one container that may wait for other resolvers at once: one that floods hurts no other. */
const FORWARDS_AT_ONCE = 64;
const TCP_BYTES = 65_535;

export interface ResolverParts {
  readonly zone: () => Zone;
  readonly forward: Forward;
  /** The host's own resolvers. */
  readonly nameservers: () => Promise<readonly string[]>;
  readonly log: Log;
}

export class Resolver {
  private readonly parts: ResolverParts;
  private readonly forwards = new Map<string, number>();

  constructor(parts: ResolverParts) {
    this.parts = parts;
  }

  /** The answer to a message from `asker`; undefined when it deserves none. */
  async answer(message: Buffer, asker: string, transport: Transport): Promise<Buffer | undefined> {
    const query = readQuery(message);
    if (query === undefined) return undefined;
    const answer = answerOf(this.parts.zone(), asker, query.question);
    if (answer.kind === 'elsewhere') return this.pass(message, query, asker, answer.nameservers, transport);
    return writeAnswer(query, answer, transport === 'tcp' ? TCP_BYTES : query.udpBytes);
  }

  private async pass(
    message: Buffer,
    query: Query,
    asker: string,
    named: readonly string[],
    transport: Transport,
  ): Promise<Buffer> {
    const waiting = this.forwards.get(asker) ?? 0;
    if (waiting >= FORWARDS_AT_ONCE) return writeAnswer(query, { kind: 'refused' }, query.udpBytes);
    this.forwards.set(asker, waiting + 1);
    try {
      const servers = named.length > 0 ? named : await this.parts.nameservers();
      return await this.parts.forward(message, servers, transport);
    } catch (error) {
      this.parts.log.debug({ name: query.question.name, error: messageOf(error) }, 'nobody could answer a question');
      return writeFailure(query);
    } finally {
      this.noteAnswered(asker);
    }
  }

  private noteAnswered(asker: string): void {
    const waiting = (this.forwards.get(asker) ?? 1) - 1;
    if (waiting > 0) this.forwards.set(asker, waiting);
    else this.forwards.delete(asker);
  }
}
