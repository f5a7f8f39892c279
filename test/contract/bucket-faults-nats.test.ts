import { describe } from 'vitest';
import { bucketFaultContract } from './bucket-fault-suite.ts';
import { startFaultyNatsServer } from './faulty-nats-server.ts';

describe('buckets on a NATS server, on a bad day', () => {
  bucketFaultContract(startFaultyNatsServer, 2);
});
