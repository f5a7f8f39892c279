/** Turns Docker's words about a failure into a sentence a person understands; Docker's own words stay in it. */

export interface FailureWords {
  /** For the metric: few, fixed words. */
  readonly kind:
    | 'image'
    | 'image-not-found'
    | 'image-auth'
    | 'image-rate-limit'
    | 'disk'
    | 'port'
    | 'command'
    | 'mount'
    | 'memory'
    | 'exit'
    | 'unhealthy'
    | 'removed'
    | 'create'
    | 'start';
  readonly sentence: string;
}

const KNOWN: readonly { pattern: RegExp; kind: FailureWords['kind']; meaning: string }[] = [
  { pattern: /no space left on device/i, kind: 'disk', meaning: 'a disk of this node is full' },
  {
    pattern: /no such image: .*(toomanyrequests|rate limit|too many requests)/is,
    kind: 'image-rate-limit',
    meaning: 'the registry limits how often it may be asked: wait, or log in and use --with-registry-auth',
  },
  {
    pattern:
      /no such image: .*(unauthorized|authentication required|no basic auth|access denied|access to .* is denied)/is,
    kind: 'image-auth',
    meaning: 'the registry has no such image for these credentials: log in and use --with-registry-auth',
  },
  {
    pattern: /no such image: .*(manifest unknown|manifest for .* not found|name unknown)/is,
    kind: 'image-not-found',
    meaning: 'the registry has no such image',
  },
  { pattern: /no such image/i, kind: 'image', meaning: 'the image is not on this node and could not be pulled' },
  {
    pattern: /port is already allocated|address already in use/i,
    kind: 'port',
    meaning: 'another process or container on this node holds the port',
  },
  {
    pattern: /executable file not found|no such file or directory: unknown|exec: .*no such file/i,
    kind: 'command',
    meaning: 'the command does not exist in the image',
  },
  { pattern: /permission denied: unknown/i, kind: 'command', meaning: 'the command may not be executed' },
  {
    pattern: /bind source path does not exist|invalid mount/i,
    kind: 'mount',
    meaning: 'a mounted path does not exist on this node',
  },
];

/** Why a container could not be made or started. `words` are Docker's. */
export function explainRefusal(step: 'pull' | 'create' | 'start', words: string): FailureWords {
  const known = KNOWN.find(({ pattern }) => pattern.test(words));
  const spoken = step === 'start' ? `starting container failed: ${words}` : words;
  if (known) return { kind: known.kind, sentence: `${spoken} (${known.meaning})` };
  if (step === 'pull') return { kind: 'image', sentence: spoken };
  return { kind: step, sentence: spoken };
}

/** Why a container that ran is no longer running; an empty sentence for a clean exit. The words are Swarm's. */
export function explainExit(exitCode: number, oomKilled: boolean, engineError: string): FailureWords {
  if (oomKilled) {
    return {
      kind: 'memory',
      sentence: `task: non-zero exit (${exitCode}): killed for using more memory than its limit`,
    };
  }
  if (exitCode === 0 && engineError === '') return { kind: 'exit', sentence: '' };
  const detail = engineError === '' ? signalWords(exitCode) : `: ${engineError}`;
  return { kind: 'exit', sentence: `task: non-zero exit (${exitCode})${detail}` };
}

function signalWords(exitCode: number): string {
  const names: Readonly<Record<number, string>> = { 137: 'SIGKILL', 139: 'SIGSEGV', 134: 'SIGABRT', 143: 'SIGTERM' };
  const name = names[exitCode];
  return name ? `: ended by ${name}` : '';
}
