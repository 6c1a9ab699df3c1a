import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { Witness } from '../../../base/witness.ts';
import { ManualClock } from '../../../platform/index.ts';
import { BlockSealer } from '../../sealing/block-sealer.ts';
import type { VolumeFinding } from './findings.ts';
import { LocalVolumeStore } from './local-volume-store.ts';
import { placeGolden, readGolden } from './testing/golden-volumes.ts';
import { goldenRing } from './testing/key-rings.ts';
import { SeededRandom } from './testing/random.ts';
import { SimulatedVolumeFiles } from './testing/simulated-volume-files.ts';

const SEALED = 'v00000001.1.hv';
const UNSEALED = 'v00000002.1.hv';
const HINT = 'v00000002.1.hint';
const golden = await readGolden('packed');
const RING = goldenRing();
const KEYLESS = 'key-missing';

interface Trial {
  name?: string;
  change?: (bytes: Buffer) => Buffer;
  hint?: boolean;
  witness?: Witness;
  sealer?: BlockSealer | undefined;
}

interface Outcome {
  refused: boolean;
  findings: VolumeFinding[];
  sound: number;
  corrupt: number;
  forgotten: number;
  locked: number;
  shredded: number;
  damagedCount: number;
}

/** Opens golden volumes, damaged or not, and asks for every block. Wrong bytes fail at once. */
async function examine(trial: Trial): Promise<Outcome> {
  const { name = SEALED, change = (bytes) => bytes, hint = true } = trial;
  const disk = new SimulatedVolumeFiles(new SeededRandom(1));
  placeGolden(disk, golden);
  if (!hint) disk.drop(HINT);
  disk.setContent(name, change(Buffer.from(disk.content(name))));
  const outcome: Outcome = {
    refused: false, findings: [], sound: 0, corrupt: 0, forgotten: 0, locked: 0, shredded: 0,
    damagedCount: 0,
  };
  let store: LocalVolumeStore;
  try {
    store = await LocalVolumeStore.open({
      root: '/simulated', files: disk, config: { reserveBytes: 0, recentBytesMax: 0 },
      witness: trial.witness ?? golden.witness, clock: new ManualClock(0),
      onFinding: (finding) => outcome.findings.push(finding),
      sealer: 'sealer' in trial
        ? trial.sealer : new BlockSealer({ compression: 'auto', keys: RING }),
    });
  } catch (error) {
    assert.ok(error instanceof HoldfastError, String(error));
    outcome.refused = true;
    return outcome;
  }
  for (const [id, bytes] of golden.blocks) {
    try {
      const read = await store.get(id);
      assert.ok(read.equals(bytes), 'wrong bytes came out');
      outcome.sound++;
    } catch (error) {
      if (isKind(error, 'corrupt')) outcome.corrupt++;
      else if (!(error instanceof HoldfastError)) throw error;
      else if (error.code === KEYLESS) outcome.locked++;
      else if (error.code === 'shredded') outcome.shredded++;
      else if (isKind(error, 'not-found')) outcome.forgotten++;
      else throw error;
    }
  }
  outcome.damagedCount = store.state().damagedCount;
  await store.close();
  assert.equal(disk.openHandles, 0);
  return outcome;
}

/** Stretches of which only some bytes are tried: zeros, a list of entries, one long payload. */
type Stretch = readonly [from: number, end: number, step: number];
const SPARSE: Readonly<Record<string, readonly Stretch[]>> = {
  [SEALED]: [[112, 4092, 151], [5640, 7040, 5], [7150, 11_156, 151]],
  [UNSEALED]: [[112, 4092, 151], [4340, 8540, 23]],
};

function* places(name: string): Generator<number> {
  const { length } = golden.files.get(name) as Buffer;
  // An odd step, so that every bit of a byte has its turn.
  for (let at = 0; at < length; at += at < 4096 ? 1 : 3) {
    const sparse = SPARSE[name]?.find(([from, end]) => at >= from && at < end);
    if (sparse === undefined || at % sparse[2] === 0) yield at;
  }
}

function flip(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
    return bytes;
  };
}

function checkHonest(outcome: Outcome, place: string): void {
  if (outcome.refused) return;
  assert.equal(outcome.forgotten + outcome.locked + outcome.shredded, 0, place);
  assert.equal(outcome.sound + outcome.corrupt, golden.blocks.size, place);
  if (outcome.corrupt === 0) return;
  assert.ok(outcome.findings.length > 0, `${place}: lost blocks without a finding`);
  assert.ok(outcome.damagedCount > 0, `${place}: lost blocks are not counted`);
}

describe('LocalVolumeStore reads golden volumes of version 2', () => {
  for (const hint of [true, false]) {
    it(`with every packing, ${hint ? 'with' : 'without'} the hint`, async () => {
      const outcome = await examine({ hint });
      assert.equal(outcome.sound, golden.blocks.size);
      assert.deepEqual(outcome.findings, []);
    });

    it(`as far as it goes without a key, ${hint ? 'with' : 'without'} the hint`, async () => {
      const outcome = await examine({ hint, sealer: undefined });
      assert.deepEqual([outcome.sound, outcome.locked], [3, 9]);
      assert.deepEqual(outcome.findings, []);
    });

    it(`after shredding, ${hint ? 'with' : 'without'} the hint`, async () => {
      const keys = RING.withoutTenant('default', 1);
      const sealer = new BlockSealer({ compression: 'auto', keys });
      const outcome = await examine({ hint, sealer });
      assert.deepEqual([outcome.sound, outcome.shredded], [3, 9]);
      assert.deepEqual(outcome.findings, []);
      assert.equal(outcome.damagedCount, 0);
    });
  }
});

describe('LocalVolumeStore with one flipped bit among packed blocks', () => {
  for (const [name, hint] of [[SEALED, true], [UNSEALED, true], [UNSEALED, false]] as const) {
    it(`gives out no wrong byte and forgets no block: ${name}, hint ${hint}`, async () => {
      let lost = 0;
      for (const at of places(name)) {
        const outcome = await examine({ name, change: flip(at), hint });
        checkHonest(outcome, `byte ${at}`);
        assert.equal(outcome.refused, at < 4096, `byte ${at}`);
        lost = Math.max(lost, outcome.corrupt);
      }
      assert.equal(lost, 1);
    });
  }

  it('loses no other block of a damaged stretch for want of a key', async () => {
    // The second record of a batch in the unsealed volume; the first one stays.
    const keys = RING.withoutTenant('default', 1);
    const sealer = new BlockSealer({ compression: 'off', keys });
    for (const [part, at] of [['header', 8600], ['payload', 8630]] as const) {
      const damage = { name: UNSEALED, change: flip(at), hint: false };
      assert.equal((await examine(damage)).corrupt, 1, part);
      const shredded = await examine({ ...damage, sealer });
      assert.deepEqual([shredded.corrupt, shredded.shredded, shredded.sound], [1, 8, 3], part);
      const keyless = await examine({ ...damage, sealer: undefined });
      assert.deepEqual([keyless.corrupt, keyless.locked, keyless.sound], [1, 8, 3], part);
    }
  });

  it('judges the same without a key: what was torn is cut, what is rotten is kept', async () => {
    const { length } = golden.files.get(UNSEALED) as Buffer;
    let checked = 0;
    for (let at = 4096; at < length; at += 29) {
      const judge = async (sealer?: BlockSealer) => {
        for (const witness of [golden.witness, []]) {
          const how = { name: UNSEALED, change: flip(at), hint: false, witness };
          const outcome = await examine(sealer === undefined ? how : { ...how, sealer });
          const ranges = outcome.findings.filter(({ kind }) => kind !== 'damaged-block')
            .map(({ kind, offset }) => ({ kind, offset }));
          results.push(JSON.stringify(ranges));
        }
      };
      const results: string[] = [];
      await judge();
      const keys = RING.withoutTenant('default', 1);
      await judge(new BlockSealer({ compression: 'off', keys }));
      assert.deepEqual(results.slice(2), results.slice(0, 2), `byte ${at}`);
      checked += results.filter((one) => one !== '[]').length;
    }
    assert.ok(checked > 50);
  });
});
