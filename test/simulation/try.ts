import { historyOf } from './chance.ts';
import { run } from './run.ts';
import { withoutMetrics } from './world/without-metrics.ts';

withoutMetrics();
Error.stackTraceLimit = 0;
const [from = 1, count = 1, flag] = process.argv.slice(2);
for (let seed = Number(from); seed < Number(from) + Number(count); seed += 1) {
  const history = historyOf(seed, { minutes: 10, nodes: 5, services: 20 });
  const cpu = process.cpuUsage();
  const { violation, settledAfterMs, trace } = await run(history, { traced: flag === 'trace' });
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    seed,
    history.entries.length,
    settledAfterMs,
    Math.round((user + system) / 1000),
    violation ? `${violation.invariant} @${violation.atMs}: ${violation.sentence}` : 'ok',
  );
  if (flag === 'trace') console.log(trace.join('\n'));
}
