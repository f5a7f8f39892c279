/**
 * `npm run bench:network-load`: how long an agent takes to bring its kernel to a network of many services (1,000 of 10 tasks),
 * and to take in one task that comes or goes then. In a network namespace of its own. Needs root. See docs/benchmarks.md.
 */
import { runHostCommand, runSuccessfully } from '../../../agent/network/command-runner.ts';
import { type RenderedTable, tableChange } from '../../../agent/network/nft-elements.ts';
import { renderOverlayTable } from '../../../agent/network/overlay/overlay-table.ts';
import type { OverlayView } from '../../../agent/network/overlay/overlay-view.ts';
import { planOverlay } from '../../../agent/network/overlay/plan-overlay.ts';
import type { EndpointRecord, NetRecord, NetworkEndpoint } from '../../../model/network-records.ts';
import { derivedId } from '../../../runtime/identifiers.ts';
import { secondsOf } from '../measure.ts';
import { readOptions } from '../options.ts';
import { printReport, sayOnStderr } from '../output.ts';
import { Figures } from '../report.ts';

const values = readOptions('bench:network-load', { services: 1_000, tasks: 10, rounds: 5, format: 'table' });
const networkId = derivedId('network');
const [here, there] = [derivedId('node', 'here'), derivedId('node', 'there')];
const namespace = `plimload${process.pid}`;

const addressIn = (second: number, index: number) =>
  `10.${second}.${Math.floor(index / 250)}.${(index % 250) + 1}` as const;

function netRecords(): NetRecord[] {
  const network = { id: networkId, name: 'back', internal: false };
  const ranges = [here, there].map((nodeId, index): NetRecord => {
    const subnets = [`10.${200 + index}.0.0/16`];
    return { v: 1, epoch: 1, kind: 'subnet', network, nodeId, nodeAddress: `192.0.2.${index + 1}`, subnets };
  });
  const vips = Array.from({ length: values.services }, (_, index): NetRecord => {
    const named = { serviceId: derivedId('service', index), serviceName: `service${index}`, aliases: [] };
    return { v: 1, epoch: 1, kind: 'vip', networkId, ...named, address: addressIn(208, index) };
  });
  return [...ranges, ...vips];
}

/** The last service without its last task, or with it. */
function viewWith(nets: readonly NetRecord[], isWhole: boolean): OverlayView {
  const count = values.services * values.tasks - (isWhole ? 0 : 1);
  const endpoints = Array.from({ length: count }, (_, index): NetworkEndpoint => {
    const service = Math.floor(index / values.tasks);
    return {
      taskId: derivedId('task', index),
      serviceId: derivedId('service', service),
      serviceName: `service${service}`,
      slot: (index % values.tasks) + 1,
      aliases: [],
      address: addressIn(201, index),
    };
  });
  const members = endpoints.map(({ address }) => address);
  const record: EndpointRecord = { v: 1, networkId, nodeId: there, endpoints, members };
  return { nodeId: here, nets, endpoints: [record], tasks: [] };
}

const load = (text: string) =>
  runSuccessfully(runHostCommand, 'nsenter', [`--net=/run/netns/${namespace}`, 'nft', '-f', '-'], `${text}\n`);

/** Plans, renders and loads; answers what is loaded. */
async function bringTo(view: OverlayView, before: RenderedTable | undefined, what: string): Promise<RenderedTable> {
  const beganAt = performance.now();
  const table = renderOverlayTable(planOverlay(view).table);
  const change = tableChange(before, table);
  const plannedS = (performance.now() - beganAt) / 1000;
  figures.add(what, 'planned', plannedS, 's');
  figures.add(what, 'in the kernel', plannedS + (await secondsOf(() => load(change))), 's');
  return table;
}

const figures = new Figures(sayOnStderr);
await runSuccessfully(runHostCommand, 'ip', ['netns', 'add', namespace]);
try {
  const nets = netRecords();
  const [whole, lacking] = [viewWith(nets, true), viewWith(nets, false)];
  for (let round = 1; round <= values.rounds; round += 1) {
    sayOnStderr(`round ${round}`);
    const loaded = await bringTo(whole, undefined, 'everything');
    const less = await bringTo(lacking, loaded, 'one task gone');
    await bringTo(whole, less, 'one task more');
  }
} finally {
  await runSuccessfully(runHostCommand, 'ip', ['netns', 'delete', namespace]);
}
printReport(figures.report('bench:network-load: seconds after the agent has learned it'), values.format);
