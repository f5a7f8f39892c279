/**
 * `npm run bench`: Plimsoll beside bare API calls and beside Docker Swarm, on the same hosts, in one run.
 * Prints a table and, with `--format json`, the raw figures. Needs root (scripts/lab makes real hosts).
 */
import { parseArgs } from 'node:util';
import { type Lab, type LabHost, labUp } from '../support/lab.ts';
import { EngineApi } from './engine-api.ts';
import { bareRestart, bareRun, crash, deploy, hostLoss, remove, scale, serviceSpec, settle } from './figures.ts';
import { secondsUntil } from './measure.ts';
import { median } from './statistics.ts';

const REPLICAS = 30;
const CONCURRENCIES = [1, 2, 4] as const;

type Figures = Record<string, number[]>;

function record(figures: Figures, name: string, seconds: number): void {
  figures[name] ??= [];
  figures[name].push(seconds);
  process.stderr.write(`  ${name}: ${seconds.toFixed(3)} s\n`);
}

/** HostConfig of a container the orchestrator made, so that the bare run asks the engine for the same work. */
async function hostConfigOf(host: LabHost): Promise<unknown> {
  const engine = new EngineApi(host.engineSocket);
  const [first] = await engine.containers();
  if (!first) throw new Error(`No container runs on ${host.name}`);
  const { HostConfig } = await engine.call<{ HostConfig: unknown }>('GET', `/containers/${first.Id}/json`);
  await engine.close();
  return HostConfig;
}

async function measureOrchestrator(lab: Lab, rounds: number): Promise<Figures> {
  const figures: Figures = {};
  const api = new EngineApi(lab.clusterSocket);
  const lastHost = lab.hosts[lab.hosts.length - 1];
  const firstHost = lab.hosts[0];
  if (!lastHost || !firstHost) throw new Error('The lab has no hosts');
  await deploy(api, lab.hosts.length);
  const hostConfig = await hostConfigOf(firstHost);
  await remove(api, lab.hosts);
  for (let round = 0; round < rounds; round += 1) {
    for (const concurrency of CONCURRENCIES) {
      const seconds = await bareRun(lab.hosts, REPLICAS / lab.hosts.length, concurrency, hostConfig);
      record(figures, `bare 30 containers, ${concurrency} at a time per engine`, seconds);
    }
    record(figures, 'deploy 30 replicas', await deploy(api, REPLICAS));
    record(figures, 'scale 30 to 60', await scale(api, REPLICAS * 2));
    await scale(api, 12);
    await settle(lab.hosts, 12);
    record(figures, 'crash to running', await crash(api, firstHost, 12));
    await remove(api, lab.hosts);
    record(figures, 'bare kill, create and start of one container', await bareRestart(firstHost, hostConfig));
  }
  await measureHostLoss(lab, api, lastHost, rounds, figures);
  await api.close();
  return figures;
}

async function measureHostLoss(
  lab: Lab,
  api: EngineApi,
  host: LabHost,
  rounds: number,
  figures: Figures,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await api.createService(serviceSpec(12));
    await secondsUntil(async () => (await api.runningTasks('bench')).length === 12);
    record(figures, 'host cut off to 12 replicas running', await hostLoss(lab, api, host, 12));
    await remove(api, lab.hosts);
  }
}

function printTable(results: Readonly<Record<string, Figures>>): void {
  const contenders = Object.keys(results);
  const names = [...new Set(contenders.flatMap((contender) => Object.keys(results[contender] ?? {})))];
  const width = Math.max(...names.map((name) => name.length));
  const row = (first: string, cells: readonly string[]) =>
    process.stdout.write(`${first.padEnd(width)}  ${cells.map((cell) => cell.padStart(10)).join('')}\n`);
  row('median seconds', contenders);
  for (const name of names) {
    row(
      name,
      contenders.map((contender) => {
        const values = results[contender]?.[name];
        return values ? median(values).toFixed(2) : '-';
      }),
    );
  }
  printRatio(results['plimsoll'] ?? {});
}

function printRatio(figures: Figures): void {
  const best = Math.min(
    ...CONCURRENCIES.map((concurrency) =>
      median(figures[`bare 30 containers, ${concurrency} at a time per engine`] ?? []),
    ),
  );
  const deployed = median(figures['deploy 30 replicas'] ?? []);
  process.stdout.write(
    `\ndeploy 30 replicas is ${(deployed / best).toFixed(2)} x the best bare run (${best.toFixed(2)} s)\n`,
  );
}

const contenders = ['plimsoll', 'swarm'] as const;
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    format: { type: 'string', default: 'table' },
    only: { type: 'string' },
  },
});
const results: Record<string, Figures> = {};
for (const engine of contenders.filter((one) => values.only === undefined || values.only === one)) {
  process.stderr.write(`${engine}:\n`);
  const lab = await labUp({ engine });
  try {
    results[engine] = await measureOrchestrator(lab, Number(values.rounds));
  } finally {
    await lab.down();
  }
}
if (values.format === 'json') process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
else printTable(results);
