/** What a service may say of the secrets and configs it uses. Sentences are Swarm's. Pure. */
import type { PayloadKind } from '../../model/payload.ts';
import type { ContainerSpec } from '../../model/service-spec.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { invalid, unsupported } from '../wishes/errors.ts';
import { payloadReferences } from './payload-use.ts';

interface FileReference {
  readonly name: string;
  readonly target: string | undefined;
}

/** Throws `invalid` or `unsupported`: references without a file, or two to one target. */
export function checkReferences({ Secrets = [], Configs = [] }: ContainerSpec): void {
  if (Configs.some((config) => config.Runtime !== undefined)) {
    throw unsupported('configs for the runtime', 'TaskTemplate.ContainerSpec.Configs.Runtime');
  }
  checkTargets(
    'secret',
    Secrets.map(({ File, SecretName }) => ({ name: SecretName, target: File?.Name })),
  );
  checkTargets(
    'config',
    Configs.map(({ File, ConfigName }) => ({ name: ConfigName, target: File?.Name })),
  );
}

function checkTargets(kind: PayloadKind, references: readonly FileReference[]): void {
  const names = new Map<string, string>();
  for (const { name, target } of references) {
    if (target === undefined || name === '') throw invalid(`malformed ${kind} reference`);
    if (target === '' || target.split('/').includes('..')) {
      throw invalid(`malformed file ${kind} reference, invalid ${kind} target file name provided`);
    }
    const other = names.get(target);
    if (other !== undefined) {
      throw invalid(`${kind} references '${other}' and '${name}' have a conflicting target: '${target}'`);
    }
    names.set(target, name);
  }
}

/** Throws `invalid`, naming what the cluster does not have. */
export function checkReferredExist(container: ContainerSpec, snapshot: Pick<Snapshot, 'secrets' | 'configs'>): void {
  for (const kind of ['secret', 'config'] as const) {
    const references = payloadReferences(container).filter((reference) => reference.kind === kind);
    const missing = references.filter(({ id }) => !snapshot[`${kind}s`].has(id)).map(({ name }) => name);
    if (missing.length > 0) throw invalid(`${kind}${missing.length > 1 ? 's' : ''} not found: ${missing.join(', ')}`);
  }
}
