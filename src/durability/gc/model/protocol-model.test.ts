import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explore, type Exploration } from './explore.ts';
import { protocolModel, RULES } from './protocol-model.ts';

describe('the protocol of garbage collection', () => {
  let whole: Exploration | undefined;
  const explored = (): Exploration => (whole ??= explore(protocolModel()));

  it('loses no block in use, in any order of steps and with a crash anywhere', () => {
    const { counterExample, stateCount, stepsSeen } = explored();
    assert.deepEqual(counterExample, undefined);
    assert.ok(stateCount > 80_000, `only ${stateCount} states: the model has shrunk`);
    const telling = [
      'one gives up', 'the part is replaced', 'the join fails', 'census acquits', 'condemned',
      'verdict withdrawn', 'a bad copy is forgotten', 'not dropped', 'dropped', 'unlinked',
    ];
    assert.deepEqual(telling.filter((step) => !stepsSeen.has(step)), []);
  });

  it('can always still free the block, whatever happened before', () => {
    assert.equal(explored().stuckCount, 0);
  });

  for (const rule of RULES) {
    it(`is unsafe without the rule ${rule}`, () => {
      const { counterExample } = explore(protocolModel(rule));
      assert.ok(counterExample !== undefined, 'nobody misses the rule');
      const last = rule === 'inspect' ? /^G2/ : /^G1/;
      assert.match(counterExample.broken, last, counterExample.steps.join(', '));
    });
  }
});
