/**
 * Go template placeholders as Swarm allows them in environment, hostname and mounts: `{{.Service.Name}}`,
 * `{{ index .Service.Labels "key" }}`. Expanded on the node that runs the task; anything else is refused by name.
 */
import { PlimsollError } from './errors.ts';

export interface TemplateWords {
  readonly service: { readonly id: string; readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly node: { readonly id: string; readonly hostname: string; readonly os: string; readonly architecture: string };
  readonly task: { readonly id: string; readonly name: string; readonly slot: string };
}

/** `text` with every placeholder replaced; throws `invalid` naming one that is not known. */
export function expandTemplate(text: string, words: TemplateWords): string {
  if (!text.includes('{{')) return text;
  return text.replace(/\{\{-?\s*(.*?)\s*-?\}\}/g, (placeholder, expression: string) => {
    const value = evaluate(expression, words);
    if (value !== undefined) return value;
    throw new PlimsollError('invalid', `Cannot expand the template ${placeholder}: Plimsoll knows ${KNOWN_FIELDS}`);
  });
}

const KNOWN_FIELDS =
  '.Service.ID .Service.Name .Service.Labels .Node.ID .Node.Hostname .Node.Platform.OS .Node.Platform.Architecture .Task.ID .Task.Name .Task.Slot';

function evaluate(expression: string, words: TemplateWords): string | undefined {
  const label = /^index\s+\.Service\.Labels\s+["`]([^"`]+)["`]$/.exec(expression)?.[1];
  const dotted = /^\.Service\.Labels\.(\w+)$/.exec(expression)?.[1];
  const key = label ?? dotted;
  return key === undefined ? fields(words)[expression] : words.service.labels[key];
}

function fields({ service, node, task }: TemplateWords): Readonly<Record<string, string>> {
  return {
    '.Service.ID': service.id,
    '.Service.Name': service.name,
    '.Node.ID': node.id,
    '.Node.Hostname': node.hostname,
    '.Node.Platform.OS': node.os,
    '.Node.Platform.Architecture': node.architecture,
    '.Task.ID': task.id,
    '.Task.Name': task.name,
    '.Task.Slot': task.slot,
  };
}
