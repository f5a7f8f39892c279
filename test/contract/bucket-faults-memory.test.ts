import { describe } from 'vitest';
import { bucketFaultContract } from './bucket-fault-suite.ts';
import { startFaultyMemoryServer } from './faulty-memory-server.ts';

describe('buckets in memory, on a bad day', () => {
  bucketFaultContract(startFaultyMemoryServer, 5);
});
