import { describe, expect, it } from 'vitest';
import { ownershipOf } from '../../compat/ownership.ts';
import { selectorsOf } from '../../compat/selectors.ts';

describe('selectorsOf()', () => {
  it.each([
    ['up', ['up']],
    ['rate(a_total{x="1"}[5m])', ['a_total{x="1"}']],
    ['sum by (job, instance) (rate(a[1m])) / on(job) group_left(name) b{c!~"d|e"}', ['a', 'b{c!~"d|e"}']],
    ['sum(irate(a[5m])) without(mode) > bool 0 and b unless c or vector(1)', ['a', 'b', 'c']],
    ['{__name__=~"container.*", instance=~"x"}', ['{__name__=~"container.*", instance=~"x"}']],
    ['a{path="/{x}(y)"} offset 5m # up', ['a{path="/{x}(y)"}']],
    ['histogram_quantile(0.99, sum(rate(h_bucket[1m])) by (le)) * 1e3', ['h_bucket']],
    ['instance:cpu:rate5m + 0x1F + inf', ['instance:cpu:rate5m']],
  ])('finds those of %s', (expression, selectors) => {
    expect(selectorsOf(expression).map(({ text }) => text)).toEqual(selectors);
  });
});

describe('ownershipOf()', () => {
  it.each([
    ['rate(container_fs_reads_total[5m])', 'ours'],
    ['node_load1 * on(instance) group_left(node_name) node_meta', 'ours'],
    ['{__name__=~"container.*"}', 'ours'],
    ['node_memory_Zswap_bytes', 'beyond'],
    ['node_load1 / node_hwmon_temp_celsius', 'beyond'],
    ['node_load1 * on(instance) swarm_node_info', 'not-ours'],
    ['kube_pod_info', 'not-ours'],
  ])('of %s: %s', (expression, ownership) => {
    expect(ownershipOf(expression)).toBe(ownership);
  });
});
