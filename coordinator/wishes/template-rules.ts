/** Placeholders are expanded on the node a task runs on; one that cannot be is refused when the service is submitted. Pure. */
import type { ServiceSpec } from '../../model/service-spec.ts';
import { expandTemplate, type TemplateWords } from '../../runtime/task-template.ts';
import { templateTexts } from '../plan/node-labels.ts';

/** Throws `invalid`, naming the placeholder. */
export function checkTemplates(spec: ServiceSpec): void {
  const words = exampleWords(spec);
  for (const text of templateTexts(spec.TaskTemplate)) expandTemplate(text, words);
}

/** What is known before there is a task, and stand-ins for the rest. */
function exampleWords({ Name, Labels = {} }: ServiceSpec): TemplateWords {
  return {
    service: { id: 'service', name: Name, labels: Labels },
    node: { id: 'node', hostname: 'node', os: 'linux', architecture: 'x86_64', labels: anyLabel },
    task: { id: 'task', name: `${Name}.1.task`, slot: '1' },
  };
}

/** Which labels a node has is known when there is a node: until then it has every one. */
const anyLabel: TemplateWords['node']['labels'] = new Proxy(
  {},
  {
    get: () => 'label',
    getOwnPropertyDescriptor: () => ({ value: 'label', configurable: true, enumerable: true }),
  },
);
