/** Core messaging below schemas: what the NATS connection and the tests' memory server each implement. */

export interface WireMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply: string | undefined;
  /** The server's word that nobody listens where a request went. */
  readonly noResponders: boolean;
}

/** A message a stream keeps, or is to keep. */
export type StoredWireMessage = Pick<WireMessage, 'subject' | 'data'>;

export interface Wire {
  /** Fire and forget; false when there is no connection to hand it to. Never throws. */
  publish(subject: string, data: Uint8Array, reply?: string): boolean;
  /** Has one stream store all, or none: then false, as where the server cannot. Throws when no answer came: all may be stored. */
  storeTogether(messages: readonly StoredWireMessage[]): Promise<boolean>;
  /** `handler` must not throw. Of all subscriptions of one `group`, only one gets each message. */
  subscribe(subject: string, handler: (message: WireMessage) => void, group?: string): { stop(): void };
  /** What a stream keeps of this subject (wildcards too), oldest first. Throws `unavailable` or `timeout`. */
  stored(subject: string): Promise<readonly StoredWireMessage[]>;
  /** A fresh subject of this connection's own for replies. */
  inbox(): string;
  readonly connected: boolean;
  onConnectionChange(listener: (connected: boolean) => void): () => void;
  close(): Promise<void>;
}
