/** A client that sends one request after the other to each of several addresses, each on a connection of its own. */
import { get } from 'node:http';
import { z } from 'zod';
import { messageOf } from '../../runtime/errors.ts';

const Answer = z.object({ version: z.string() });

export class SteadyClient {
  readonly failures: string[] = [];
  /** What the service said it was. */
  readonly versions = new Set<string>();
  private readonly urls: readonly string[];
  private readonly loops: Promise<void>[] = [];
  private running = false;

  constructor(urls: readonly string[]) {
    this.urls = urls;
  }

  /** Does every address answer? */
  async isServed(): Promise<boolean> {
    const answers = await Promise.allSettled(this.urls.map((url) => ask(url)));
    return answers.every((answer) => answer.status === 'fulfilled');
  }

  start(): void {
    this.running = true;
    this.loops.push(...this.urls.map((url) => this.askOnAndOn(url)));
  }

  async stop(): Promise<{ readonly failures: readonly string[]; readonly versions: ReadonlySet<string> }> {
    this.running = false;
    await Promise.all(this.loops);
    return this;
  }

  private async askOnAndOn(url: string): Promise<void> {
    while (this.running) {
      try {
        this.versions.add(Answer.parse(JSON.parse(await ask(url))).version);
      } catch (error) {
        this.failures.push(`${url}: ${messageOf(error)}`);
      }
    }
  }
}

function ask(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 10_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(body)).on('error', reject);
    });
    request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer within 10 s')));
  });
}
