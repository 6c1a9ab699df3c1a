import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Effects } from './effects.ts';

async function turn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

it('effects are seen by whoever watches, by those around, and by nobody beside', async () => {
  const [outer, inner, beside] = [new Effects(), new Effects(), new Effects()];
  const other = beside.watch(turn);
  await outer.watch(async () => {
    await inner.watch(async () => {
      await turn();
      await Effects.aside(async () => {
        await turn();
        Effects.note();
      });
      assert.deepEqual([inner.isSeen, outer.isSeen], [false, false]);
      Effects.note();
    });
  });
  await other;
  Effects.note();
  assert.deepEqual([inner.isSeen, outer.isSeen, beside.isSeen], [true, true, false]);
});
