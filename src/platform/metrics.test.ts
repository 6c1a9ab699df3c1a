import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Metrics } from './metrics.ts';

it('Metrics writes counters, gauges, histograms and foreign text in one page', async () => {
  const metrics = new Metrics();
  metrics.counter({ name: 'puts_total', help: 'Puts.', labels: ['zone'] }).inc({ zone: 'a' }, 2);
  metrics.gauge({ name: 'free_bytes', help: 'Free.' }).set(5);
  metrics.gaugeOf({ name: 'queue_length', help: 'Waiting.' }, () => 3);
  metrics.histogram({ name: 'wait_seconds', help: 'Waits.', buckets: [1, 2] }).observe(1.5);
  metrics.addText(() => 'other 1\n');
  metrics.addProcess();
  const text = await metrics.text();
  for (const line of [
    'holdfast_puts_total{zone="a"} 2', 'holdfast_free_bytes 5', 'holdfast_queue_length 3',
    'holdfast_wait_seconds_bucket{le="2"} 1', 'other 1',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  assert.match(text, /^process_resident_memory_bytes \d/m);
});

it('Metrics tells tenants apart by a label, and makes each name once for each', async () => {
  const metrics = new Metrics();
  const ofAcme = metrics.ofTenant('acme');
  metrics.counter({ name: 'puts_total', help: 'Puts.' });
  ofAcme.counter({ name: 'puts_total', help: 'Puts.' }).inc({}, 2);
  ofAcme.gaugeOf({ name: 'queue_length', help: 'Waiting.' }, () => 4);
  metrics.gaugeOf({ name: 'queue_length', help: 'Waiting.' }, () => 3);
  const text = await metrics.text();
  for (const line of [
    'holdfast_puts_total 0', 'holdfast_puts_total{tenant="acme"} 2',
    'holdfast_queue_length 3', 'holdfast_queue_length{tenant="acme"} 4',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
  assert.throws(() => ofAcme.gauge({ name: 'queue_length', help: 'Waiting.' }));
});
