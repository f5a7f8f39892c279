import { beforeEach, expect, test } from 'vitest';
import { createSealingKeys, openSealed } from '../../../../bus/identity/sealing.ts';
import { answerRegistryAuth } from '../../../../coordinator/images/registry-auth.ts';
import { vaultOf } from '../../../../coordinator/payloads/vault.ts';
import { SealedRegistryAuth } from '../../../../model/image-transfer.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { derivedId } from '../../../../runtime/identifiers.ts';
import { aTaskRecord } from '../../../support/docker-api-server.ts';
import { type MemoryConnection, MemoryServer } from '../../../support/memory-bus.ts';
import { aService, aSnapshot } from '../../../support/snapshots.ts';

const vault = vaultOf(Buffer.alloc(32, 7));
const keys = createSealingKeys();
const nodeId = derivedId('node', 'h1');
const plain = aService();
const service = aService({ registryAuth: vault.seal(plain.id, Buffer.from('credentials')) });
const task = aTaskRecord(service, 1, nodeId);

let agent: MemoryConnection;
let coordinator: MemoryConnection;
beforeEach(() => {
  const server = new MemoryServer({ clock: systemClock });
  agent = server.connect('agent');
  coordinator = server.connect('coordinator');
});

async function answerTo(asking: string, of: typeof service): Promise<Buffer[]> {
  const snapshot = aSnapshot({ services: [of], tasks: [task] });
  answerRegistryAuth({ bus: coordinator.bus, snapshot: () => snapshot, vault });
  const request = { taskId: task.id, publicKey: keys.publicKey };
  const { signal } = new AbortController();
  const chunks: Buffer[] = [];
  for await (const chunk of agent.bus.askCoordinatorStream(asking, 'registry-auth', request, signal)) {
    chunks.push(Buffer.from(chunk));
  }
  return chunks;
}

test('a node gets the credentials of its own task, for its key alone', async () => {
  const [chunk] = await answerTo(nodeId, service);

  expect(chunk?.toString()).not.toContain('credentials');
  const sealed = SealedRegistryAuth.parse(JSON.parse(String(chunk)));
  expect(Buffer.from(openSealed(keys.seed, sealed)).toString()).toBe('credentials');
  expect(() => openSealed(createSealingKeys().seed, sealed)).toThrow('Cannot open');
});

test('a service without credentials has none to give', async () => {
  expect(await answerTo(nodeId, plain)).toEqual([]);
});

test('another node gets nothing', async () => {
  await expect(answerTo(derivedId('node', 'h2'), service)).rejects.toMatchObject({ code: 'refused' });
});
