/** Volumes made on the cluster, put into what a task is assigned: its node makes them with their driver and options. Pure. */
import type { ServiceRecord } from '../../model/service-record.ts';
import type { Mount } from '../../model/service-spec.ts';
import type { VolumeRecord } from '../../model/volume-record.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** The service with the driver, options and labels of its volumes; what its own mounts say of them comes first. */
export function withClusterVolumes(service: ServiceRecord, { volumes }: Pick<Snapshot, 'volumes'>): ServiceRecord {
  if (volumes.size === 0) return service;
  const { TaskTemplate } = service.spec;
  const { Mounts } = TaskTemplate.ContainerSpec;
  const byName = new Map([...volumes.values()].map(({ value }) => [value.name, value]));
  if (!Mounts?.some((mount) => isNamed(mount) && byName.has(mount.Source ?? ''))) return service;
  const made = Mounts.map((mount) => withVolume(mount, isNamed(mount) ? byName.get(mount.Source ?? '') : undefined));
  const ContainerSpec = { ...TaskTemplate.ContainerSpec, Mounts: made };
  return { ...service, spec: { ...service.spec, TaskTemplate: { ...TaskTemplate, ContainerSpec } } };
}

function isNamed({ Type, Source }: Mount): boolean {
  return Type === 'volume' && Source !== undefined && Source !== '';
}

function withVolume(mount: Mount, volume: VolumeRecord | undefined): Mount {
  if (volume === undefined) return mount;
  const own = mount.VolumeOptions;
  const VolumeOptions = {
    ...own,
    Labels: { ...volume.labels, ...own?.Labels },
    DriverConfig: own?.DriverConfig ?? { Name: volume.driver, Options: volume.options },
  };
  return { ...mount, VolumeOptions };
}
