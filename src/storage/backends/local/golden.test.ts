import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import type { Witness } from '../../../base/witness.ts';
import { ManualClock } from '../../../platform/index.ts';
import type { VolumeFinding } from './findings.ts';
import { LocalVolumeStore } from './local-volume-store.ts';
import { placeGolden, readGolden, type GoldenVolumes } from './testing/golden-volumes.ts';
import { SeededRandom } from './testing/random.ts';
import { SimulatedVolumeFiles } from './testing/simulated-volume-files.ts';

const SEALED = 'v00000001.1.hv';
const UNSEALED = 'v00000002.1.hv';
const HINT = 'v00000002.1.hint';
const plain = await readGolden('plain');

interface Damage {
  name: string;
  change: (bytes: Buffer) => Buffer;
  witness: Witness;
  hint: boolean;
}

interface Outcome {
  refused: HoldfastError | undefined;
  findings: VolumeFinding[];
  /** Blocks that came back as they were. */
  sound: number;
  corrupt: number;
  /** Blocks that the store says it never had. */
  forgotten: number;
  damagedCount: number;
}

/** Opens damaged golden volumes and asks for every block. Wrong bytes fail at once. */
async function examine(golden: GoldenVolumes, damage: Damage): Promise<Outcome> {
  const disk = new SimulatedVolumeFiles(new SeededRandom(1));
  placeGolden(disk, golden);
  if (!damage.hint) disk.drop(HINT);
  const damaged = damage.change(Buffer.from(disk.content(damage.name)));
  disk.setContent(damage.name, damaged);
  const before = disk.names().map((name) => disk.content(name));
  const outcome: Outcome = {
    refused: undefined, findings: [], sound: 0, corrupt: 0, forgotten: 0, damagedCount: 0,
  };
  const config = { reserveBytes: 0, recentBytesMax: 0 };
  let store: LocalVolumeStore;
  try {
    store = await LocalVolumeStore.open({
      root: '/simulated', files: disk, config, witness: damage.witness,
      clock: new ManualClock(0), onFinding: (finding) => outcome.findings.push(finding),
    });
  } catch (error) {
    assert.ok(error instanceof HoldfastError, String(error));
    assert.ok(['corrupt', 'invalid'].includes(error.kind), error.kind);
    outcome.refused = error;
    const after = disk.names().map((name) => disk.content(name));
    assert.deepEqual(after, before, 'a refused folder was changed');
    assert.equal(disk.openHandles, 0);
    return outcome;
  }
  for (const [id, bytes] of golden.blocks) {
    try {
      const read = await store.get(id);
      assert.ok(read.equals(bytes), 'wrong bytes came out');
      outcome.sound++;
    } catch (error) {
      if (isKind(error, 'corrupt')) outcome.corrupt++;
      else if (isKind(error, 'not-found')) outcome.forgotten++;
      else throw error;
    }
  }
  outcome.damagedCount = store.state().damagedCount;
  await store.close();
  if (outcome.findings.some(({ kind }) => kind === 'damaged-range')) {
    assert.ok(disk.content(damage.name).equals(damaged), 'damage was not kept as it is');
  }
  assert.equal(disk.openHandles, 0);
  return outcome;
}

/** Never silent: what cannot be read is reported, and counted when it had been acknowledged. */
function checkHonest(outcome: Outcome, place: string): void {
  if (outcome.refused !== undefined) return;
  const { findings, corrupt, forgotten, sound, damagedCount } = outcome;
  assert.equal(forgotten, 0, `${place}: an acknowledged block was forgotten`);
  if (corrupt === 0) return;
  assert.ok(findings.length > 0, `${place}: lost blocks without a finding`);
  assert.ok(damagedCount > 0, `${place}: lost blocks are not counted`);
  assert.equal(sound + corrupt, plain.blocks.size);
}

/** Every byte where structure is, a sample of long stretches of zeros. Behind the superblock one of
 *  `step`: an odd number, so that every bit of a byte has its turn. */
function* places(sizeBytes: number, step = 1): Generator<number> {
  for (let at = 0; at < sizeBytes; at += at < 4096 ? 1 : step) {
    const inZeros = (at >= 112 && at < 4092) || (at > sizeBytes - 4020 && at < sizeBytes - 8);
    if (!inZeros || at % 151 === 0) yield at;
  }
}

function flip(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
    return bytes;
  };
}

describe('LocalVolumeStore reads golden volumes', () => {
  for (const name of ['plain', 'segments', 'sums']) {
    it(`of version 1, ${name}`, async () => {
      const golden = await readGolden(name);
      for (const hint of [true, false]) {
        const { witness } = golden;
        const change = (bytes: Buffer): Buffer => bytes;
        const outcome = await examine(golden, { name: SEALED, change, witness, hint });
        assert.deepEqual(outcome.findings, []);
        assert.equal(outcome.sound, golden.blocks.size);
      }
    });
  }
});

describe('LocalVolumeStore with one flipped bit', () => {
  it('in a sealed volume gives out no wrong byte and forgets no block', async () => {
    const { witness } = plain;
    const { length } = plain.files.get(SEALED) as Buffer;
    let lost = 0;
    for (const at of places(length, 3)) {
      const damage = { name: SEALED, change: flip(at), witness, hint: true };
      const outcome = await examine(plain, damage);
      checkHonest(outcome, `byte ${at}`);
      assert.equal(outcome.refused !== undefined, at < 4096, `byte ${at}`);
      lost = Math.max(lost, outcome.corrupt);
    }
    assert.equal(lost, 1);
  });

  it('in an unsealed volume gives out no wrong byte and forgets no block', async () => {
    const { length } = plain.files.get(UNSEALED) as Buffer;
    for (const hint of [true, false]) {
      for (const at of places(length)) {
        const damage = { name: UNSEALED, change: flip(at), witness: plain.witness, hint };
        const outcome = await examine(plain, damage);
        checkHonest(outcome, `byte ${at}, hint ${hint}`);
        assert.equal(outcome.refused !== undefined, at < 4096, `byte ${at}`);
      }
    }
  });

  it('in an unsealed volume without witness and hint drops the last batch at most', async () => {
    const { length } = plain.files.get(UNSEALED) as Buffer;
    const lastBatchAt = length - 64 - 64 - 304;
    for (const at of places(length)) {
      if (at < 4096) continue;
      const damage = { name: UNSEALED, change: flip(at), witness: [], hint: false };
      const outcome = await examine(plain, damage);
      if (at < lastBatchAt) checkHonest(outcome, `byte ${at}`);
      assert.ok(outcome.corrupt + outcome.forgotten <= 1, `byte ${at}`);
      if (outcome.forgotten > 0) {
        assert.deepEqual(outcome.findings.map(({ kind }) => kind), ['torn-tail']);
      }
    }
  });

  it('in a hint changes nothing', async () => {
    const { length } = plain.files.get(HINT) as Buffer;
    for (let at = 0; at < length; at++) {
      const damage = { name: HINT, change: flip(at), witness: plain.witness, hint: true };
      const outcome = await examine(plain, damage);
      assert.equal(outcome.sound, plain.blocks.size, `byte ${at}`);
      assert.deepEqual(outcome.findings, []);
    }
  });

  it('in a block of several segments loses only what is asked of that segment', async () => {
    const golden = await readGolden('segments');
    const disk = new SimulatedVolumeFiles(new SeededRandom(1));
    placeGolden(disk, golden);
    const bytes = Buffer.from(disk.content(SEALED));
    const third = [...golden.blocks].at(-1);
    assert.ok(third);
    const [id, content] = third;
    // The 600,000 bytes end 64 bytes before the end of the file: hit the last segment.
    disk.setContent(SEALED, flip(bytes.length - 1000)(bytes));
    disk.drop('v00000001.1.hint');
    const config = { reserveBytes: 0 };
    disk.setContent('v00000001.1.hint', golden.files.get('v00000001.1.hint') as Buffer);
    const store = await LocalVolumeStore.open({
      root: '/simulated', files: disk, config, witness: golden.witness,
      clock: new ManualClock(0), onFinding: () => undefined,
    });
    assert.ok((await store.read(id, 0, 500_000)).equals(content.subarray(0, 500_000)));
    const last = store.read(id, 599_000, 1000);
    await assert.rejects(last, (error) => isKind(error, 'corrupt'));
    assert.ok((await store.read(id, 0, 500_000)).equals(content.subarray(0, 500_000)));
    assert.equal(store.state().damagedCount, 1);
  });
});

describe('LocalVolumeStore with a volume cut short', () => {
  const cut = (sizeBytes: number) => (bytes: Buffer) => bytes.subarray(0, sizeBytes);

  for (const name of [SEALED, UNSEALED]) {
    it(`refuses to open below the witness, and reads what is above: ${name}`, async () => {
      const { length } = plain.files.get(name) as Buffer;
      const mark = new Map(plain.witness).get(name === SEALED ? 1 : 2) as number;
      for (let sizeBytes = 0; sizeBytes < length; sizeBytes += 8) {
        const damage = { name, change: cut(sizeBytes), witness: plain.witness, hint: true };
        const outcome = await examine(plain, damage);
        const refused = sizeBytes < Math.max(4096, mark);
        assert.equal(outcome.refused !== undefined, refused, `${sizeBytes} bytes`);
        if (!refused) assert.equal(outcome.sound, plain.blocks.size, `${sizeBytes} bytes`);
      }
    });

    it(`forgets no block without the witness either: ${name}`, async () => {
      const { length } = plain.files.get(name) as Buffer;
      for (let sizeBytes = 4096; sizeBytes < length; sizeBytes += 8) {
        const damage = { name, change: cut(sizeBytes), witness: [], hint: true };
        checkHonest(await examine(plain, damage), `${sizeBytes} bytes`);
      }
    });
  }

  it('reports the torn tail when nothing proves that it was acknowledged', async () => {
    const { length } = plain.files.get(UNSEALED) as Buffer;
    let reported = 0;
    for (let sizeBytes = 4096; sizeBytes < length; sizeBytes += 8) {
      const damage = { name: UNSEALED, change: cut(sizeBytes), witness: [], hint: false };
      const outcome = await examine(plain, damage);
      assert.equal(outcome.corrupt, 0);
      reported += outcome.findings.length;
    }
    assert.ok(reported > 100);
  });
});
