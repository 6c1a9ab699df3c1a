/** Every kind of fault that is planted, and who must find it: these verifiers, and no others. */
import { rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { FindingKind } from '../finding.ts';
import type { VerifierId } from '../verifier.ts';
import { RECORD_HEADER_BYTES } from '../volume/volume-format.ts';
import { appendToLedger } from './canary-ledger.ts';
import { pathsIn } from './canary.ts';
import {
  entryAt, healFooter, healHeader, healLastCommit, healSuperblock, orFail,
} from './planting.ts';
import type { DiskName, Planting } from './planting.ts';

export type Expected = Partial<Record<VerifierId, readonly FindingKind[]>>;

export interface Fault {
  name: string;
  plant: (planting: Planting) => Promise<void> | void;
  /** Exactly these verifiers report, exactly these kinds. */
  expected: Expected;
  /** A sound second copy lies on the other disk: the volumes are repaired from there, and then
   *  nothing may be left open. */
  repair?: (planting: Planting) => { disk: DiskName; name: string }[];
  /** Files that do not belong there, to be put aside under a name that no volume has. */
  aside?: (planting: Planting) => { disk: DiskName; name: string }[];
  /** Blocks that the reconciler must propose to put away, and no others. */
  proposes?: (planting: Planting) => string[];
}

const READ: readonly FindingKind[] = ['sample-unreadable'];
const BOTH: readonly DiskName[] = ['disk-a', 'disk-b'];
const ofSealed = (planting: Planting) => [{ disk: 'disk-a' as const, name: planting.sealed.name }];
const ofGrowing = (planting: Planting) => [
  { disk: 'disk-a' as const, name: planting.growing.name },
];

/** Two records of one batch, equally long. */
function twoAlike(planting: Planting): readonly [Place, Place] {
  const names = ['alike-3', 'alike-4', 'alike-5', 'alike-6'];
  const places = names.map((name) => planting.place(name));
  for (const one of places) {
    const two = places.find((other) => other !== one && other.batch === one.batch);
    if (two !== undefined) return [one, two];
  }
  throw new Error('the canary has no batch of several records');
}

type Place = ReturnType<Planting['place']>;

/** Damage to bytes of one copy. */
const DAMAGE: readonly Fault[] = [
  {
    name: 'bit flip in a payload of a sealed volume',
    plant: async (planting) => {
      const { position, volume } = planting.place('small');
      await planting.flip('disk-a', volume, position + RECORD_HEADER_BYTES + 100);
    },
    expected: {
      'disk-scrubber': ['payload-damaged'], 'replica-comparison': ['replica-differs'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
  {
    name: 'bit flip in the checksum table of a long block',
    plant: async (planting) => {
      const { position, volume } = planting.place('long');
      await planting.flip('disk-a', volume, position + RECORD_HEADER_BYTES + 1);
    },
    expected: {
      'disk-scrubber': ['payload-damaged'], 'replica-comparison': ['replica-differs'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
  {
    name: 'a sector of zeros inside a long block',
    plant: async (planting) => {
      const { position, volume } = planting.place('long');
      await planting.edit('disk-a', volume.name, (bytes) => {
        bytes.fill(0, position + 8_192, position + 12_288);
      });
    },
    expected: {
      'disk-scrubber': ['payload-damaged'], 'replica-comparison': ['replica-differs'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
  {
    name: 'bit flip in a record header, one copy',
    plant: async (planting) => {
      const { position, volume } = planting.place('small');
      await planting.flip('disk-a', volume, position + 20);
    },
    expected: {
      'disk-scrubber': ['header-damaged'], 'replica-comparison': ['replica-differs'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
  {
    name: 'bit flip in a record header, all copies',
    plant: async (planting) => {
      const { position, volume } = planting.place('small');
      for (const disk of BOTH) await planting.flip(disk, volume, position + 20);
    },
    expected: {
      'disk-scrubber': ['header-damaged'], 'metadata-scan': ['header-damaged'],
      'write-rereader': READ,
    },
  },
  {
    name: 'bit flip in a commit record',
    plant: async (planting) => {
      const batch = orFail(planting.sealed.batches[1]);
      await planting.flip('disk-a', planting.sealed, batch.commitAt + 17);
    },
    expected: {
      'disk-scrubber': ['commit-damaged'], 'replica-comparison': ['replica-differs'],
    },
    repair: ofSealed,
  },
  {
    name: 'bit flip in the last commit record before a footer',
    plant: async (planting) => {
      const batch = orFail(planting.sealed.batches.at(-1));
      await planting.flip('disk-a', planting.sealed, batch.commitAt + 50);
    },
    expected: {
      'disk-scrubber': ['commit-damaged'], 'replica-comparison': ['replica-differs'],
    },
    repair: ofSealed,
  },
  {
    name: 'bit flip in the seal record',
    plant: (planting) =>
      planting.flip('disk-a', planting.sealed, orFail(planting.sealed.tail).dataEnd + 9),
    expected: {
      'disk-scrubber': ['footer-damaged'], 'replica-comparison': ['replica-differs'],
    },
    repair: ofSealed,
  },
  {
    name: 'bit flip in the footer\'s list',
    plant: (planting) => planting.flip('disk-a', planting.sealed, entryAt(planting.sealed, 1) + 36),
    expected: {
      'disk-scrubber': ['footer-damaged'], 'replica-comparison': ['replica-differs'],
    },
    repair: ofSealed,
  },
  {
    name: 'bit flip in the trailer',
    plant: (planting) => {
      const { sealed } = planting;
      return planting.flip('disk-a', sealed, sealed.sizeBytes - 4_000);
    },
    expected: {
      'disk-scrubber': ['footer-damaged'], 'replica-comparison': ['replica-differs'],
    },
    repair: ofSealed,
  },
  {
    name: 'bit flip in the superblock',
    plant: (planting) => planting.flip('disk-a', planting.sealed, 60),
    expected: {
      'disk-scrubber': ['superblock-damaged'], 'replica-comparison': ['replica-differs'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
  {
    name: 'bit flip in the zeros between two records',
    plant: async (planting) => {
      const { position, volume, header } = planting.place('one-byte');
      await planting.flip('disk-a', volume, position + header.recordBytes - 1);
    },
    expected: { 'replica-comparison': ['replica-undecided'] },
    repair: ofSealed,
  },
  {
    name: 'bit flip in a payload of the volume being written',
    plant: async (planting) => {
      const { position, volume } = planting.place('newest-1');
      await planting.flip('disk-a', volume, position + RECORD_HEADER_BYTES + 100);
    },
    expected: { 'disk-scrubber': ['payload-damaged'], 'write-rereader': READ },
    repair: ofGrowing,
  },
  {
    name: 'bit flip in the header of the newest record',
    plant: async (planting) => {
      const { position, volume } = planting.place('newest-3');
      await planting.flip('disk-a', volume, position + 13);
    },
    expected: { 'disk-scrubber': ['header-damaged'], 'write-rereader': READ },
    repair: ofGrowing,
  },
];

/** Bytes that are sound by themselves, and wrong. */
const CONFUSION: readonly Fault[] = [
  {
    name: 'two records of a batch have changed places',
    plant: async (planting) => {
      const [one, two] = twoAlike(planting);
      await planting.edit('disk-a', one.volume.name, (bytes) => {
        const { recordBytes } = one.header;
        const first = Buffer.from(bytes.subarray(one.position, one.position + recordBytes));
        bytes.copy(bytes, one.position, two.position, two.position + recordBytes);
        first.copy(bytes, two.position);
      });
    },
    expected: {
      'disk-scrubber': ['commit-damaged'], 'replica-comparison': ['replica-differs'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
  {
    name: 'a write went to the place of another record',
    plant: async (planting) => {
      const [one, two] = twoAlike(planting);
      await planting.edit('disk-a', one.volume.name, (bytes) => {
        bytes.copy(bytes, one.position, two.position, two.position + two.header.recordBytes);
      });
    },
    expected: {
      'disk-scrubber': ['commit-damaged'], 'replica-comparison': ['replica-differs'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
  {
    name: 'wrong bytes with right checksums',
    plant: async (planting) => {
      const { position, volume, header } = planting.place('newest-3');
      await planting.edit('disk-a', volume.name, (bytes) => {
        const payloadAt = position + RECORD_HEADER_BYTES;
        bytes[payloadAt + 5] = (bytes[payloadAt + 5] ?? 0) ^ 1;
        const payload = bytes.subarray(payloadAt, payloadAt + header.payloadBytes);
        bytes.writeUInt32LE(crc32(payload), position + 48);
        healHeader(bytes, position);
        healLastCommit(bytes, volume);
      });
    },
    expected: { 'disk-scrubber': ['hash-differs'], 'write-rereader': ['sample-differs'] },
    repair: ofGrowing,
  },
  {
    name: 'a footer with right checksums names a wrong place',
    plant: async (planting) => {
      const { volume, header } = planting.place('small');
      await planting.edit('disk-a', volume.name, (bytes) => {
        const at = bytes.indexOf(header.id, orFail(volume.tail).bodyAt, 'hex');
        bytes.writeUInt32LE(bytes.readUInt32LE(at + 32) + 8, at + 32);
        healFooter(bytes, volume);
      });
    },
    expected: {
      'disk-scrubber': ['footer-differs'], 'replica-comparison': ['replica-differs'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
  {
    name: 'a copy that is sound and another one',
    plant: (planting) => planting.edit('disk-b', planting.sealed.name, (bytes) => {
      bytes.writeUInt32LE(bytes.readUInt32LE(48) + 1, 48);
      healSuperblock(bytes);
    }),
    expected: {
      'replica-comparison': ['replica-undecided'], 'extent-referee': ['file-unknown'],
    },
  },
  {
    name: 'a volume of a newer format',
    plant: (planting) => planting.edit('disk-a', planting.sealed.name, (bytes) => {
      bytes.writeUInt16LE(9, 8);
      healSuperblock(bytes);
    }),
    expected: {
      'disk-scrubber': ['format-newer'], 'replica-comparison': ['replica-differs'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
];

/** Files that are cut, gone, new or renamed. */
const FILES: readonly Fault[] = [
  {
    name: 'a sealed volume cut in the middle',
    plant: (planting) =>
      planting.cut('disk-a', planting.sealed, Math.floor(planting.sealed.sizeBytes / 2)),
    expected: {
      'disk-scrubber': ['volume-cut', 'footer-damaged'],
      'replica-comparison': ['replica-length-differs'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
  {
    name: 'a sealed volume without its footer',
    plant: (planting) =>
      planting.cut('disk-a', planting.sealed, orFail(planting.sealed.tail).dataEnd),
    expected: {
      'disk-scrubber': ['footer-damaged'], 'replica-comparison': ['replica-length-differs'],
    },
    repair: ofSealed,
  },
  {
    name: 'the volume being written cut below what was acknowledged',
    plant: async (planting) => {
      const { position, volume } = planting.place('newest-2');
      await planting.cut('disk-a', volume, position);
    },
    expected: { 'disk-scrubber': ['volume-cut'], 'write-rereader': READ },
    repair: ofGrowing,
  },
  {
    name: 'a volume gone from one disk',
    plant: (planting) => planting.remove('disk-a', planting.sealed),
    expected: {
      'replica-comparison': ['replica-missing'], 'extent-referee': ['file-missing'],
      'write-rereader': READ,
    },
    repair: ofSealed,
  },
  {
    name: 'a volume gone from all disks',
    plant: async (planting) => {
      for (const disk of BOTH) await planting.remove(disk, planting.sealed);
    },
    expected: {
      'extent-referee': ['file-missing'], 'metadata-scan': ['block-missing'],
      'reconciler': ['block-missing'], 'write-rereader': READ,
    },
  },
  {
    name: 'a volume with another volume\'s name',
    plant: (planting) => planting.rename('disk-a', planting.sealed, 'v00000099.1.hv'),
    expected: {
      'extent-referee': ['file-renamed'], 'disk-scrubber': ['superblock-damaged'],
      'replica-comparison': ['replica-missing'], 'write-rereader': READ,
    },
    aside: () => [{ disk: 'disk-a', name: 'v00000099.1.hv' }],
    repair: ofSealed,
  },
  {
    name: 'a volume from the trash is back',
    plant: (planting) => {
      const { trashName } = planting.canary;
      const liveName = trashName.slice(0, -'.trash'.length);
      return planting.copy(
        planting.pathOf('disk-b', trashName), planting.pathOf('disk-b', liveName),
      );
    },
    expected: { 'extent-referee': ['file-unknown'], 'reconciler': ['orphan'] },
    proposes: ({ canary }) => canary.deadBlocks.map(({ id }) => id),
    aside: ({ canary }) => [
      { disk: 'disk-b', name: canary.trashName.slice(0, -'.trash'.length) },
    ],
  },
  {
    name: 'a volume of another store',
    plant: async (planting) => {
      const path = await planting.makeForeignVolume();
      await planting.copy(path, planting.pathOf('disk-b', 'v00000098.1.hv'));
    },
    expected: {
      'extent-referee': ['file-foreign'], 'disk-scrubber': ['superblock-damaged'],
      'reconciler': ['orphan'],
    },
    aside: () => [{ disk: 'disk-b', name: 'v00000098.1.hv' }],
  },
  {
    name: 'a disk that refuses to read one volume',
    plant: (planting) => {
      const { name } = planting.sealed;
      planting.wrapDisk = (disk) => (disk.id !== 'disk-b' ? disk : {
        id: disk.id,
        files: {
          list: () => disk.files.list(),
          open: async (wanted, how) => {
            if (wanted !== name) return disk.files.open(wanted, how);
            throw Object.assign(new Error('planted'), { code: 'EIO' });
          },
        },
      });
    },
    expected: { 'disk-scrubber': ['unreadable'] },
  },
];

/** What the metadata says is not what is stored. */
const METADATA: readonly Fault[] = [
  {
    name: 'a wrong length in the metadata',
    plant: (planting) => {
      const file = planting.file('unsampled');
      const sizeBytes = file.sizeBytes - 1;
      return planting.setManifest(file, [{ id: orFail(file.blocks[0]), sizeBytes }]);
    },
    expected: { 'metadata-scan': ['length-differs'], 'reconciler': ['size-differs'] },
  },
  {
    name: 'a reference to a block that is nowhere',
    plant: (planting) => {
      const file = planting.file('unsampled');
      const { sizeBytes } = file;
      const known = { id: orFail(file.blocks[0]), sizeBytes };
      return planting.setManifest(file, [known, { id: 'ab'.repeat(32), sizeBytes: 10 }]);
    },
    expected: { 'metadata-scan': ['block-missing'], 'reconciler': ['block-missing'] },
  },
  {
    name: 'a block that no file needs',
    plant: async (planting) => {
      const file = planting.file('unsampled');
      await planting.editMetadata().dropVersion(file);
      await planting.editMetadata().dropNode(file);
    },
    expected: {
      'reconciler': ['orphan'],
      'journal-auditor': ['tree-differs', 'past-differs', 'size-sum-differs'],
    },
    proposes: (planting) => planting.file('unsampled').blocks,
  },
  {
    name: 'a list of blocks that cannot be understood',
    plant: (planting) =>
      planting.setManifestBytes(planting.file('unsampled'), Buffer.from('no manifest at all')),
    expected: { 'metadata-scan': ['manifest-unreadable'] },
    proposes: () => [],
  },
  {
    name: 'two files have each other\'s content',
    plant: async (planting) => {
      const one = planting.file('alike-3');
      const two = planting.file('alike-4');
      for (const [file, other] of [[one, two], [two, one]] as const) {
        const { sizeBytes } = other;
        await planting.setManifest(file, [{ id: orFail(other.blocks[0]), sizeBytes }]);
      }
    },
    expected: { 'write-rereader': ['sample-differs'] },
  },
  {
    name: 'an acknowledged file that is no longer found',
    plant: (planting) => planting.editMetadata().dropNode(planting.file('small')),
    expected: {
      'write-rereader': ['sample-missing'],
      'journal-auditor': ['tree-differs', 'past-differs', 'size-sum-differs'],
    },
  },
  {
    name: 'an event that is gone from the journal',
    plant: (planting) => planting.editMetadata().dropEvent(planting.file('small').spaceId, 2),
    expected: { 'journal-auditor': ['journal-gap'] },
  },
  {
    name: 'a folder whose size is not that of its files',
    plant: (planting) => planting.editMetadata().setFolderBytes(planting.file('small').spaceId, 9),
    expected: { 'journal-auditor': ['size-sum-differs'] },
  },
  {
    name: 'a file that the past shows before it was made',
    plant: (planting) => planting.editMetadata().setFromRev(planting.file('newest-3'), 1),
    expected: { 'journal-auditor': ['past-differs'] },
  },
];

/** Trash and ledger. */
const LETTING_GO: readonly Fault[] = [
  {
    name: 'the trash holds the last copy of something that is held',
    plant: (planting) => {
      planting.holds.add(orFail(planting.canary.deadBlocks[0]).id);
    },
    expected: { 'trash-inspector': ['trash-still-needed'] },
  },
  {
    name: 'the trash holds the last copy of a file\'s block',
    plant: (planting) => {
      const file = planting.file('unsampled');
      const known = { id: orFail(file.blocks[0]), sizeBytes: file.sizeBytes };
      return planting.setManifest(file, [known, orFail(planting.canary.deadBlocks[0])]);
    },
    expected: {
      'trash-inspector': ['trash-still-needed'], 'metadata-scan': ['block-missing'],
      'reconciler': ['block-missing'],
    },
  },
  {
    name: 'the only sound copy of a file\'s block lies in the trash',
    plant: async (planting) => {
      const { position, volume } = planting.place('moved');
      for (const disk of BOTH) await planting.flip(disk, volume, position + 200);
    },
    expected: {
      'trash-inspector': ['trash-still-needed'], 'disk-scrubber': ['payload-damaged'],
      'write-rereader': READ,
    },
  },
  {
    name: 'a damaged volume in the trash',
    plant: (planting) =>
      planting.flip('disk-a', { name: planting.canary.trashName }, 4_096 + 20),
    expected: { 'trash-inspector': ['trash-unreadable'] },
  },
  {
    name: 'an entry of the ledger was changed',
    plant: (planting) => planting.editLedger((lines) =>
      lines.map((line) => line.replace('"dead":2', '"dead":3'))),
    expected: { 'extent-referee': ['ledger-broken'] },
  },
  {
    name: 'the newest entry of the ledger is gone',
    plant: (planting) => planting.editLedger((lines) => lines.slice(0, -1)),
    expected: { 'extent-referee': ['ledger-shorter'] },
  },
  {
    name: 'the ledger is empty',
    plant: (planting) => planting.editLedger(() => []),
    expected: { 'extent-referee': ['ledger-shorter'] },
  },
];

/** Files that leave without the reasons that they need. */
const UNEXPLAINED: readonly Fault[] = [
  {
    name: 'a volume moved to the trash without an entry',
    plant: (planting) =>
      planting.rename('disk-b', planting.sealed, `${planting.sealed.name}.trash`),
    expected: {
      'extent-referee': ['file-missing', 'file-unknown'],
      'replica-comparison': ['replica-missing'],
    },
  },
  {
    name: 'a volume in the trash unlinked without an entry',
    plant: (planting) => rm(planting.pathOf('disk-a', planting.canary.trashName)),
    expected: { 'extent-referee': ['file-missing'] },
  },
  {
    name: 'a volume in the trash unlinked too early',
    plant: async (planting) => {
      for (const disk of BOTH) await rm(planting.pathOf(disk, planting.canary.trashName));
      const { ledger } = pathsIn(planting.canary.directory);
      const at = planting.clock.now();
      await appendToLedger(ledger, { at, act: 'inspect', volume: 2, rescued: 0 });
      await appendToLedger(ledger, { at, act: 'unlink', volume: 2, inspections: [4, 5] });
    },
    expected: { 'extent-referee': ['unlink-unjustified'] },
  },
];

/** No faults: whoever reports one of these raises a false alarm. */
const HEALTHY: readonly Fault[] = [
  { name: 'nothing at all', plant: () => undefined, expected: {} },
  {
    name: 'a write that was cut off before anybody was told of it',
    plant: (planting) => planting.edit('disk-a', planting.growing.name, (bytes) => {
      const end = orFail(planting.growing.batches.at(-1)).commitAt + RECORD_HEADER_BYTES;
      const { position, header } = planting.place('newest-1');
      bytes.copy(bytes, end, position, position + Math.min(header.recordBytes, 500));
    }),
    expected: {},
  },
];

export const FAULTS: readonly Fault[] = [
  ...DAMAGE, ...CONFUSION, ...FILES, ...METADATA, ...LETTING_GO, ...UNEXPLAINED, ...HEALTHY,
];
