import { describe } from 'vitest';
import { startFaultyMemoryServer } from './faulty-memory-server.ts';
import { leaseContract } from './lease-suite.ts';

describe('the lease in memory', () => {
  leaseContract(startFaultyMemoryServer, 5);
});
