import { ManualClock } from '../../platform/index.ts';
import { LocalVolumeStore } from '../backends/local/local-volume-store.ts';
import { SeededRandom } from '../backends/local/testing/random.ts';
import { SimulatedVolumeFiles } from '../backends/local/testing/simulated-volume-files.ts';
import { testVolumeFiles } from '../backends/local/volume-files.conformance.ts';
import type { VolumeFiles } from '../backends/local/volume-files.ts';
import { testBlockStore } from '../block-store.conformance.ts';
import { openReplicatedFiles } from './open-replicated-files.ts';
import type { VolumeDisk } from './volume-disk.ts';

for (const [count, copies, acksMin] of [[1, 1, 1], [2, 2, 2], [3, 3, 2], [4, 2, 2]] as const) {
  const clock = new ManualClock(0);
  const make = async (): Promise<VolumeFiles> => {
    const disks = Array.from({ length: count }, (_, at): VolumeDisk => ({
      id: `d${at}`, state: 'active',
      labels: { disk: `d${at}`, host: `h${at}`, rack: 'r', zone: 'z' },
      files: new SimulatedVolumeFiles(new SeededRandom(at)),
    }));
    const policy = { copies, acksMin, domain: 'host' } as const;
    const onFinding = (): void => undefined;
    const limits = { roomBytes: 0 };
    const options = { disks, policy, witness: [], clock, onFinding, limits };
    return (await openReplicatedFiles(options)).files;
  };
  const name = `${copies}/${acksMin} on ${count} disks`;
  testVolumeFiles(`ReplicatedVolumeFiles ${name}`, make);
  testBlockStore(`LocalVolumeStore on ReplicatedVolumeFiles ${name}`, async () =>
    LocalVolumeStore.open({
      root: '/simulated', witness: [], clock, onFinding: () => undefined, files: await make(),
    }));
}
