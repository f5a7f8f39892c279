/** What may befall single messages of a connection, by chance. */

export interface LinkFaults {
  /** How long each message is under way, one direction: uniformly between the two. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** Share of core messages (beats, requests, answers) that are lost, come twice, or overtake others. */
  readonly lossShare: number;
  readonly duplicateShare: number;
  readonly reorderShare: number;
  /** Share of a watch's messages that are lost: its numbering has a gap then. */
  readonly watchLossShare: number;
  /** Share of the answers to writes that are lost though the write happened. */
  readonly acknowledgementLossShare: number;
}

export const noFaults: LinkFaults = {
  minDelayMs: 0,
  maxDelayMs: 0,
  lossShare: 0,
  duplicateShare: 0,
  reorderShare: 0,
  watchLossShare: 0,
  acknowledgementLossShare: 0,
};
