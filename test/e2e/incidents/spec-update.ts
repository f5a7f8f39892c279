/** Updates of a service the docker CLI cannot ask for: its specification is changed and sent back. */
import { request } from 'node:http';
import { z } from 'zod';
import type { Cluster } from '../../support/cluster.ts';

const Service = z.object({
  ID: z.string(),
  Version: z.object({ Index: z.int() }),
  Spec: z.looseObject({ TaskTemplate: z.looseObject({ ContainerSpec: z.looseObject({}) }) }),
});
type Template = z.infer<typeof Service>['Spec']['TaskTemplate'];

/** Answers with what the API said against it; empty when it took the update. */
export async function updateTemplate(
  cluster: Cluster,
  service: string,
  change: (template: Template) => Template,
): Promise<string> {
  const [found] = z.tuple([Service]).parse(JSON.parse(await cluster.docker('service', 'inspect', service)));
  const { ID, Version, Spec } = found;
  const body = JSON.stringify({ ...Spec, TaskTemplate: change(Spec.TaskTemplate) });
  const path = `/v1.41/services/${ID}/update?version=${Version.Index}`;
  const { status, text } = await post(cluster.lab.clusterSocket, path, body);
  return status < 300 ? '' : z.object({ message: z.string() }).parse(JSON.parse(text)).message;
}

function post(socketPath: string, path: string, body: string): Promise<{ status: number; text: string }> {
  const headers = { 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text })).on('error', reject);
    });
    asking.on('error', reject).end(body);
  });
}
