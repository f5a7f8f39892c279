/** Placeholders are expanded on the node a task runs on; one that cannot be is refused when the service is submitted. Pure. */
import type { Mount, ServiceSpec } from '../../model/service-spec.ts';
import { expandTemplate, type TemplateWords } from '../../runtime/task-template.ts';

/** Throws `invalid`, naming the placeholder. */
export function checkTemplates(spec: ServiceSpec): void {
  const { Env = [], Hostname = '', Mounts = [] } = spec.TaskTemplate.ContainerSpec;
  const words = exampleWords(spec);
  for (const text of [...Env, Hostname, ...Mounts.flatMap(textsOf)]) expandTemplate(text, words);
}

function textsOf({ Source = '', Target = '', VolumeOptions }: Mount): string[] {
  const { Labels = {}, DriverConfig } = VolumeOptions ?? {};
  return [Source, Target, ...Object.values(Labels), ...Object.values(DriverConfig?.Options ?? {})];
}

/** What is known before there is a task, and stand-ins for the rest. */
function exampleWords({ Name, Labels = {} }: ServiceSpec): TemplateWords {
  return {
    service: { id: 'service', name: Name, labels: Labels },
    node: { id: 'node', hostname: 'node', os: 'linux', architecture: 'x86_64' },
    task: { id: 'task', name: `${Name}.1.task`, slot: '1' },
  };
}
