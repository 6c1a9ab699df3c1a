import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import type { DurabilityInput, DurabilityReport } from '../../durability/index.ts';
import { serverSlice } from '../../platform/index.ts';
import type { CommandInput } from '../command.ts';
import { MemoryTerminal } from '../memory-terminal.ts';
import { durability } from './durability.ts';

const FLEET: DurabilityInput = {
  disks: ['a', 'b', 'c'].map((id) => {
    return { id, host: id, rack: 'r', zone: 'z', capacityBytes: 8e12, usedBytes: 4e12 };
  }),
  classes: [{
    name: 'standard', redundancy: { kind: 'replicas', copies: 2, acknowledged: 2 }, volumes: 4000,
    openVolumes: 2, volumeBytes: 2 ** 30, blockBytes: 2 ** 20, offsite: false,
  }],
  assumptions: { repairBytesPerSecond: { value: 1e8, origin: 'measured' } },
};

async function run(flags: CommandInput['flags']): Promise<string> {
  const terminal = new MemoryTerminal();
  const command = durability({ slices: [serverSlice], readFleet: async () => FLEET });
  assert.equal(await command.run(terminal, { args: [], flags }), 0);
  return terminal.printed;
}

describe('holdfast durability', () => {
  it('shows the chance and where its figures come from', async () => {
    const printed = await run({});
    assert.match(printed, /chance to lose any block within a year +1 in /);
    assert.match(printed, /repair rate +100 MB\/s +measured/);
  });

  it('gives programs the same as JSON, with what was assumed on the command line', async () => {
    const probabilityOf = async (flags: CommandInput['flags']): Promise<number> => {
      const report = JSON.parse(await run({ ...flags, json: true })) as DurabilityReport;
      return report.anyBlock.probability;
    };
    const usual = await probabilityOf({});
    const worse = await probabilityOf({ assume: ['diskLossesPerYear=0.2', 'detectMs=9e6'] });
    assert.ok(worse > 1.05 * usual, `${worse} after ${usual}`);
  });

  it('names the figures when it is given another', async () => {
    for (const wrong of ['luck=1', 'detectMs=', 'detectMs=many', '=3']) {
      await assert.rejects(run({ assume: [wrong] }), (error) => {
        return isKind(error, 'invalid') && /diskLossesPerYear/.test(error.message);
      });
    }
  });
});
