/** Credentials for registries: kept with the service under the cluster's key, handed to nodes sealed, for their own tasks. */
import type { Bus, Subscription } from '../../bus/bus.ts';
import { sealFor } from '../../bus/identity/sealing.ts';
import { RegistryAuthRequest } from '../../model/image-transfer.ts';
import { taskGivenTo } from '../payloads/assigned-task.ts';
import type { Vault } from '../payloads/vault.ts';
import type { Snapshot } from '../store/snapshot.ts';

export interface RegistryAuthParts {
  readonly bus: Pick<Bus, 'answerNodeStreams'>;
  readonly snapshot: () => Snapshot;
  readonly vault: Vault;
}

/** Answers until the subscription is stopped. */
export function answerRegistryAuth({ bus, snapshot, vault }: RegistryAuthParts): Subscription {
  return bus.answerNodeStreams('registry-auth', RegistryAuthRequest, async function* (nodeId, { taskId, publicKey }) {
    const state = snapshot();
    const task = taskGivenTo(nodeId, taskId, state);
    const sealed = state.services.get(task.serviceId)?.value.registryAuth;
    if (sealed === undefined) return;
    yield Buffer.from(JSON.stringify(sealFor(publicKey, vault.open(task.serviceId, sealed))));
  });
}
