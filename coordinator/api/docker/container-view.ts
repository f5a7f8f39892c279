/** Containers of all nodes as one list: what engines answered, checked for the fields we look at, filtered. Pure. */
import { z } from 'zod';
import { type Filters, passes, passesLabels } from './filters.ts';

/** An entry of an engine's own list; fields we do not look at pass through. */
export const ContainerEntry = z.looseObject({
  Id: z.string(),
  Names: z.array(z.string()).nullish(),
  Image: z.string().optional(),
  State: z.string().optional(),
  Created: z.number().optional(),
  Labels: z.record(z.string(), z.string()).nullish(),
});
export type ContainerEntry = z.infer<typeof ContainerEntry>;

export const ContainersReply = z.object({ containers: z.array(ContainerEntry) });
export const InspectReply = z.object({ container: z.record(z.string(), z.unknown()) });

export const containerFilterKeys = ['id', 'name', 'label', 'status', 'ancestor', 'is-task'];

export function isContainerWanted(container: ContainerEntry, filters: Filters): boolean {
  const labels = container.Labels ?? {};
  const isTask = 'com.docker.swarm.task.id' in labels;
  return (
    passes(filters, 'id', (prefix) => container.Id.startsWith(prefix)) &&
    passes(filters, 'name', (part) => (container.Names ?? []).some((name) => name.includes(part))) &&
    passes(filters, 'status', (status) => status === container.State) &&
    passes(filters, 'ancestor', (image) => image === container.Image) &&
    passes(filters, 'is-task', (wanted) => wanted === String(isTask)) &&
    passesLabels(filters, 'label', labels)
  );
}

/** Newest first, as an engine lists them. */
export function newestFirst(containers: readonly ContainerEntry[]): ContainerEntry[] {
  return [...containers].sort((left, right) => (right.Created ?? 0) - (left.Created ?? 0));
}
