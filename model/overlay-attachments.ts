/** The networks of the cluster a task is on: the engines' own (`bridge`, `host`, `none`) are named, ours have ids. Pure. */
import { Id } from './record-format.ts';
import type { NetworkAttachment, TaskTemplate } from './service-spec.ts';

export function overlayAttachments({ Networks = [] }: Pick<TaskTemplate, 'Networks'>): NetworkAttachment[] {
  return Networks.filter(({ Target }) => Id.safeParse(Target).success);
}
