/** Clients who ask at a steady rate, each on a connection of its own, however long answers take. */
import { get } from 'node:http';

const TICK_MS = 20;
/** A service that answers nobody must not be asked by thousands at once. */
const MOST_OPEN = 200;

export class OpenLoad {
  private readonly timer: NodeJS.Timeout;
  private readonly urls: readonly string[];
  private perSecond = 0;
  private due = 0;
  private asked = 0;
  private open = 0;

  constructor(urls: readonly string[]) {
    this.urls = urls;
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  set rate(perSecond: number) {
    this.perSecond = perSecond;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    this.due += (this.perSecond * TICK_MS) / 1_000;
    for (; this.due >= 1; this.due -= 1) if (this.open < MOST_OPEN) this.ask();
  }

  private ask(): void {
    const url = this.urls[this.asked % this.urls.length] ?? '';
    this.asked += 1;
    this.open += 1;
    const asking = get(url, { agent: false, timeout: 10_000 }, (response) => response.resume());
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => undefined);
    asking.on('close', () => {
      this.open -= 1;
    });
  }
}
