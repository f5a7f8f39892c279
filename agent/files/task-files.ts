/** The secrets and configs of a task as files its container sees: written anew before each start, gone with the task. */

import type { ContainerSpec } from '../../model/service-spec.ts';
import type { TaskRecord } from '../../model/task-record.ts';
import { PlimsollError } from '../../runtime/errors.ts';
import { printed, type TemplateValue } from '../../runtime/go-template.ts';
import { expandTemplate, type TemplateWords } from '../../runtime/task-template.ts';
import type { Payload, PayloadSource, WantedPayload } from './payload-source.ts';
import type { FileOwner, VolatileFolder } from './volatile-folder.ts';

/** A file of the host, to be mounted read-only into a container. */
export interface FileMount {
  readonly source: string;
  readonly target: string;
}

export interface TaskFiles {
  /** Writes a task's files. Throws PayloadAwayError while a content cannot be had, else the refusal. */
  prepare(record: TaskRecord, words: TemplateWords, environment: readonly string[]): Promise<FileMount[]>;
  /** Removes the files of a task that is over. */
  drop(taskId: string): Promise<void>;
  /** Removes what tasks left behind that are none of these. */
  keepOnly(records: readonly TaskRecord[]): Promise<void>;
}

/** A reference, the same for both kinds. */
interface FileReference extends Omit<WantedPayload, 'taskId'> {
  readonly target: string;
  readonly owner: FileOwner;
}

export function createTaskFiles(source: PayloadSource, folder: VolatileFolder): TaskFiles {
  return {
    prepare: async (record, words, environment) => {
      const references = fileReferences(record.template.ContainerSpec);
      if (references.length === 0) return [];
      const payloads = new Map<FileReference, Payload>();
      for (const one of references) payloads.set(one, await source.payload({ taskId: record.id, ...one }));
      const functions = contentFunctions(payloads, environment);
      const mounts: FileMount[] = [];
      for (const [reference, { isTemplate, content }] of payloads) {
        const final = isTemplate ? Buffer.from(expandTemplate(textIn(content), words, functions)) : content;
        const path = await folder.write(record.id, String(mounts.length), final, reference.owner);
        mounts.push({ source: path, target: reference.target });
      }
      return mounts;
    },
    drop: (taskId) => folder.remove(taskId),
    keepOnly: async (records) => {
      const known = new Set(records.map((record) => record.id));
      for (const taskId of await folder.tasks()) if (!known.has(taskId)) await folder.remove(taskId);
      await source.keepOnly(records.flatMap((record) => fileReferences(record.template.ContainerSpec)));
    },
  };
}

/** Where Swarm puts them: secrets below /run/secrets, configs below /, unless the target is a path of its own. */
function fileReferences({ Secrets = [], Configs = [] }: ContainerSpec): FileReference[] {
  return [
    ...Secrets.map(
      (one) => ({ kind: 'secret', id: one.SecretID, name: one.SecretName, ...fileOf(one, '/run/secrets/') }) as const,
    ),
    ...Configs.map((one) => ({ kind: 'config', id: one.ConfigID, name: one.ConfigName, ...fileOf(one, '/') }) as const),
  ];
}

type Referred = NonNullable<ContainerSpec['Secrets'] | ContainerSpec['Configs']>[number];

function fileOf({ File }: Pick<Referred, 'File'>, folder: string): Pick<FileReference, 'target' | 'owner'> {
  if (File === undefined) throw new PlimsollError('unsupported', 'Plimsoll gives secrets and configs as files only');
  const target = File.Name.startsWith('/') ? File.Name : folder + File.Name;
  return { target, owner: { userId: idOf(File.UID), groupId: idOf(File.GID), mode: File.Mode & 0o7777 } };
}

/** As in Swarm an owner is a number; none is root. */
function idOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (text === '') return 0;
  throw new PlimsollError('invalid', `The owner of a secret or config must be a number, not "${text}"`);
}

/** What a content that is a template knows beyond other templates (swarmkit template/context.go). */
function contentFunctions(payloads: ReadonlyMap<FileReference, Payload>, environment: readonly string[]) {
  return {
    secret: (target: TemplateValue = '') => textAt(payloads, 'secret', printed(target)),
    config: (target: TemplateValue = '') => textAt(payloads, 'config', printed(target)),
    env: (name: TemplateValue = '') => variableIn(environment, printed(name)),
  };
}

/** As in Swarm, one that is not set is empty; of several the last counts. */
function variableIn(environment: readonly string[], name: string): string {
  return environment.findLast((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}

function textAt(payloads: ReadonlyMap<FileReference, Payload>, kind: FileReference['kind'], target: string): string {
  const names = [target, kind === 'secret' ? `/run/secrets/${target}` : `/${target}`];
  for (const [reference, { content }] of payloads) {
    if (reference.kind === kind && names.includes(reference.target)) return textIn(content);
  }
  throw new Error(`the service has no ${kind} with the target "${target}"`);
}

function textIn(content: Uint8Array): string {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8');
}
