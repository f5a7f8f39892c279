/**
 * Placeholders as Swarm allows them in environment, hostname and mounts (swarmkit template/context.go), and
 * `.Node.Labels`, which Swarm has not (moby#39071). Expanded on the node that runs the task; anything else is refused by name.
 */
import { PlimsollError } from './errors.ts';
import { expandActions, printed, type TemplateFunction, type TemplateValue } from './go-template.ts';

type Labels = Readonly<Record<string, string>>;

export interface TemplateWords {
  readonly service: { readonly id: string; readonly name: string; readonly labels: Labels };
  readonly node: {
    readonly id: string;
    readonly hostname: string;
    readonly os: string;
    readonly architecture: string;
    readonly labels: Labels;
  };
  readonly task: { readonly id: string; readonly name: string; readonly slot: string };
}

/**
 * `text` with every placeholder replaced; throws `invalid` naming the one that cannot be. `more` are functions beside
 * those all templates have (`join`, `index`, `print`, `printf`).
 */
export function expandTemplate(
  text: string,
  words: TemplateWords,
  more: Readonly<Record<string, TemplateFunction>> = {},
): string {
  const scope = { field: (path: string) => fieldOf(path, words), functions: { ...functions, ...more } };
  return expandActions(
    text,
    scope,
    (action, reason) => new PlimsollError('invalid', `Cannot expand the template ${action}: ${reason}`),
  );
}

/** Does a text ask for labels of the node? They travel with an assignment only where one does. */
export function usesNodeLabels(text: string): boolean {
  return text.includes('{{') && text.includes('.Node.Labels');
}

function fieldOf(path: string, words: TemplateWords): TemplateValue {
  const all = fields(words);
  if (Object.hasOwn(all, path)) return all[path] ?? '';
  const [, labels = '', key = ''] = /^(\.(?:Service|Node)\.Labels)\.(\w+)$/.exec(path) ?? [];
  const map = all[labels];
  if (map === undefined || typeof map === 'string') {
    throw new Error(`${path} is not known; known: ${Object.keys(all).join(' ')}`);
  }
  if (!Object.hasOwn(map, key)) throw new Error(`there is no label "${key}" in ${labels}`);
  return map[key] ?? '';
}

function fields({ service, node, task }: TemplateWords): Readonly<Record<string, TemplateValue>> {
  return {
    '.Service.ID': service.id,
    '.Service.Name': service.name,
    '.Service.Labels': service.labels,
    '.Node.ID': node.id,
    '.Node.Hostname': node.hostname,
    '.Node.Labels': node.labels,
    '.Node.Platform.OS': node.os,
    '.Node.Platform.Architecture': node.architecture,
    '.Task.ID': task.id,
    '.Task.Name': task.name,
    '.Task.Slot': task.slot,
  };
}

/** `join` is swarmkit's: the separator comes first. The others are text/template's own. */
const functions: Readonly<Record<string, TemplateFunction>> = {
  join: (separator = '', ...parts) => parts.map(printed).join(printed(separator)),
  index: (map = '', key = '') => {
    if (typeof map === 'string') throw new Error('index wants labels, such as: index .Service.Labels "key"');
    return Object.hasOwn(map, printed(key)) ? (map[printed(key)] ?? '') : '';
  },
  print: (...parts) => parts.map(printed).join(''),
  printf: (format = '', ...args) => {
    const left = [...args];
    return printed(format).replace(/%(.)/g, (verb: string, letter: string) => {
      if (letter === '%') return '%';
      if (letter !== 's' && letter !== 'v') throw new Error(`printf knows %s and %v, not ${verb}`);
      const next = left.shift();
      if (next === undefined) throw new Error(`printf has no argument for ${verb}`);
      return printed(next);
    });
  },
};
