/** DNS messages in and out. Everything that cannot be read is dropped: an answer to garbage would help nobody. */
import dnsPacket, { type DecodedPacket, type Answer as ResourceRecord } from 'dns-packet';
import type { Answer, Question } from './answer.ts';

/** Answers are true for a moment: tasks come and go. */
const TTL_SECONDS = 1;
/** Without an extension, a UDP answer has at most this (RFC 1035). */
const UDP_BYTES = 512;
const FLAG = { authoritative: 1 << 10, truncated: 1 << 9, recursionDesired: 1 << 8, recursionAvailable: 1 << 7 };
const CODE = { noError: 0, serverFailure: 2, refused: 5 } as const;

export interface Query {
  readonly id: number;
  readonly flags: number;
  readonly question: Question;
  /** How much the asker takes over UDP. */
  readonly udpBytes: number;
  readonly packet: DecodedPacket;
}

/** Undefined for what is no query with one question. */
export function readQuery(bytes: Buffer): Query | undefined {
  try {
    const packet = dnsPacket.decode(bytes);
    const [question, ...others] = packet.questions ?? [];
    if (packet.type !== 'query' || question === undefined || others.length > 0) return undefined;
    const extension = packet.additionals?.find((record) => record.type === 'OPT');
    const udpBytes = extension?.type === 'OPT' ? Math.max(UDP_BYTES, extension.udpPayloadSize) : UDP_BYTES;
    return { id: packet.id ?? 0, flags: packet.flags ?? 0, question, udpBytes, packet };
  } catch {
    return undefined;
  }
}

/** The answer as bytes; without records and marked as cut where it would not fit into `limitBytes`. */
export function writeAnswer(query: Query, answer: Exclude<Answer, { kind: 'elsewhere' }>, limitBytes: number): Buffer {
  if (answer.kind === 'refused') return encode(query, CODE.refused, []);
  const { name } = query.question;
  const addresses = answer.addresses.map((data) => ({ type: 'A', name, ttl: TTL_SECONDS, data }) as const);
  const pointers =
    answer.pointer === undefined ? [] : [{ type: 'PTR', name, ttl: TTL_SECONDS, data: answer.pointer } as const];
  const whole = encode(query, CODE.noError, [...addresses, ...pointers]);
  return whole.length <= limitBytes ? whole : encode(query, CODE.noError | FLAG.truncated, []);
}

/** "Could not find out": the asker may try another resolver. */
export function writeFailure(query: Query): Buffer {
  return encode(query, CODE.serverFailure, []);
}

function encode(query: Query, codeAndFlags: number, answers: readonly ResourceRecord[]): Buffer {
  const own = FLAG.authoritative | FLAG.recursionAvailable | codeAndFlags;
  return dnsPacket.encode({
    id: query.id,
    type: 'response',
    flags: own | (query.flags & FLAG.recursionDesired),
    questions: query.packet.questions ?? [],
    answers: [...answers],
  });
}
