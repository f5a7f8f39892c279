/**
 * Named local volumes lie on one node: a slot returns to the node with its data and waits for it (moby#25446). Only
 * `plimsoll.volume.move=when-needed` lets it begin elsewhere, with empty volumes, where that node does not take it.
 */
import type { ServiceRecord } from '../../model/service-record.ts';
import type { TaskTemplate } from '../../model/service-spec.ts';
import type { SlotRecord } from '../../model/slot-record.ts';
import type { PlanNode } from './nodes.ts';
import type { Slot } from './slot.ts';

export const VOLUME_MOVE_LABEL = 'plimsoll.volume.move';
export const volumeMoves = ['never', 'when-needed'] as const;

/** The names of a template's volumes whose data lies on the node they were first used on. */
export function stickyVolumes(template: TaskTemplate): string[] {
  return (template.ContainerSpec.Mounts ?? []).flatMap(({ Type, Source, VolumeOptions }) => {
    const driver = VolumeOptions?.DriverConfig?.Name ?? '';
    return Type === 'volume' && Source && (driver === '' || driver === 'local') ? [Source] : [];
  });
}

export interface DataHolder {
  readonly node: PlanNode;
  readonly volumes: readonly string[];
  readonly mayMove: boolean;
}

/** The node with the data of a slot's volumes; undefined where there is none, or it was removed from the cluster. */
export function dataHolderOf(
  service: ServiceRecord,
  slot: Slot,
  nodes: ReadonlyMap<string, PlanNode>,
): DataHolder | undefined {
  const wanted = stickyVolumes(service.spec.TaskTemplate);
  if (wanted.length === 0) return undefined;
  const data = slot.current.dataOn ?? dataOfTasks(slot);
  const volumes = data?.volumes.filter((volume) => wanted.includes(volume)) ?? [];
  const node = nodes.get(data?.nodeId ?? '');
  if (!node || node.removed || volumes.length === 0) return undefined;
  return { node, volumes, mayMove: service.spec.Labels?.[VOLUME_MOVE_LABEL] === 'when-needed' };
}

/** Slots of earlier versions do not say it: their newest task does. */
function dataOfTasks(slot: Slot): SlotRecord['dataOn'] {
  const [newest] = [...slot.tasks].sort((a, b) => b.record.createdAtMs - a.record.createdAtMs);
  return newest && { nodeId: newest.node.id, volumes: stickyVolumes(newest.record.template) };
}
