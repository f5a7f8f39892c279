import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import {
  claimForHost,
  nativeHost,
  refuseBesideHost,
  releaseFromHost,
} from '../../../../cli/monitoring/monitoring-place.ts';

interface Config {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** A cluster with configs, and the services of the stack. */
class FakeApi {
  readonly configs: Config[] = [];
  readonly services: unknown[] = [];

  async get<T>(path: string, answer: z.ZodType<T>): Promise<T> {
    const isOfServices = path.startsWith('/v1.41/services?');
    return answer.parse(isOfServices ? this.services : this.configs.map((Spec) => ({ Spec })));
  }

  async post<T>(_path: string, answer: z.ZodType<T>, body?: unknown): Promise<T> {
    this.configs.push(body as Config);
    return answer.parse({ ID: 'c1' });
  }

  async delete(path: string): Promise<void> {
    const index = this.configs.findIndex(({ Name }) => path.endsWith(`/${Name}`));
    this.configs.splice(index, 1);
  }
}

describe('where monitoring runs', () => {
  it('is one host, which may start it again', async () => {
    const api = new FakeApi();
    expect(await nativeHost(api)).toBeUndefined();
    await claimForHost(api, 'h1');
    await claimForHost(api, 'h1');
    expect(api.configs).toHaveLength(1);
    expect(await nativeHost(api)).toBe('h1');
  });

  it('is not another host, nor the stack beside it, until it is stopped there', async () => {
    const api = new FakeApi();
    await claimForHost(api, 'h1');
    const refusal =
      /they run as programs of h1\. .*plim monitoring down --native.*docker config rm plimsoll-monitoring/;
    await expect(claimForHost(api, 'h2')).rejects.toThrow(refusal);
    await expect(refuseBesideHost(api)).rejects.toThrow(refusal);
    await releaseFromHost(api, 'h2');
    expect(await nativeHost(api)).toBe('h1');
    await releaseFromHost(api, 'h1');
    await claimForHost(api, 'h2');
    expect(await nativeHost(api)).toBe('h2');
  });

  it('is no host while it is the stack', async () => {
    const api = new FakeApi();
    api.services.push({});
    await expect(claimForHost(api, 'h1')).rejects.toThrow(/they run as the stack monitoring/);
    expect(api.configs).toEqual([]);
    await refuseBesideHost(api);
  });

  it('is not told by a config whose name only begins alike', async () => {
    const api = new FakeApi();
    api.configs.push({ Name: 'plimsoll-monitoring-native-2', Labels: { host: 'h1' } });
    expect(await nativeHost(api)).toBeUndefined();
  });
});
