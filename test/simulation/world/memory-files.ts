/** A host's disk: what was written survives every process. */
import type { JsonFiles } from '../../../runtime/files.ts';

export class MemoryFiles implements JsonFiles {
  private readonly texts = new Map<string, string>();

  async read(path: string): Promise<unknown> {
    const text = this.texts.get(path);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async write(path: string, content: unknown): Promise<void> {
    this.texts.set(path, JSON.stringify(content));
  }
}
