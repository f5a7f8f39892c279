import { describe } from 'vitest';
import { startFaultyNatsServer } from './faulty-nats-server.ts';
import { leaseContract } from './lease-suite.ts';

describe('the lease on a NATS server', () => {
  leaseContract(startFaultyNatsServer, 2);
});
