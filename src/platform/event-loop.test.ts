import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ManualClock } from './clock.ts';
import { watchEventLoop } from './event-loop.ts';
import { openLog } from './log.ts';
import { Metrics } from './metrics.ts';

it('watchEventLoop publishes delays, and warns when the loop was held up', async () => {
  const lines: string[] = [];
  const { log } = openLog({ level: 'warn', target: { write: (line) => void lines.push(line) } });
  const metrics = new Metrics();
  const clock = new ManualClock(0);
  const end = watchEventLoop({ metrics, log, clock });
  await delay(200); // The histogram is Node's own and counts real time.
  const until = performance.now() + 300;
  while (performance.now() < until);
  await delay(200);
  clock.advance(10_000);
  end();
  const line = /event_loop_delay_seconds\{quantile="1"\} ([\d.]+)/;
  const max = line.exec(await metrics.text());
  assert.ok(Number(max?.[1]) > 0.15, `300 ms must show, found ${max?.[1]}`);
  assert.equal(lines.length, 1);
});
