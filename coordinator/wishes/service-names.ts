/** A name for a service that was given none. Pure: randomness comes in. */

const adjectives = [
  'brisk',
  'calm',
  'deep',
  'distant',
  'fair',
  'gentle',
  'northern',
  'quiet',
  'salty',
  'steady',
  'still',
  'tall',
];
const nouns = [
  'anchor',
  'bay',
  'beacon',
  'breeze',
  'buoy',
  'cutter',
  'harbour',
  'keel',
  'lagoon',
  'mast',
  'reef',
  'tide',
];

/** Such as `calm_harbour42`; `random` is in [0, 1). */
export function generatedName(random: () => number): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)];
  return `${pick(adjectives)}_${pick(nouns)}${Math.floor(random() * 100)}`;
}
