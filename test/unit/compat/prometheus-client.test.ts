import { describe, expect, it } from 'vitest';
import { prometheusAt } from '../../compat/prometheus-client.ts';

describe('prometheusAt()', () => {
  it('says which Prometheus it could not ask, and why', async () => {
    // fetch() asks nobody on the discard port, so that no program can happen to answer.
    const nobody = prometheusAt('http://127.0.0.1:9');

    await expect(nobody.query('up')).rejects.toThrow(/^cannot ask the Prometheus at http:\/\/127\.0\.0\.1:9: .+/);
  });
});
