/** The figures that `holdfast durability` reckons with: disks, copies, and what verifiers saw. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { TenantId } from '../base/ids.ts';
import { verifyReport } from '../durability/index.ts';
import type {
  DurabilityInput, Evidence, FleetDisk, StorageClass, VerifyReport,
} from '../durability/index.ts';
import {
  SqliteVerifyStore,
} from '../durability/verify/stores/sqlite/sqlite-verify-store.ts';
import { serverSlice } from '../platform/index.ts';
import type { Config } from '../platform/index.ts';
import type { Figures } from './figure-operations.ts';
import { findHome } from './home-list.ts';
import { order } from './orders.ts';
import type { OrderParts } from './orders.ts';
import { settingsOfHome, storageSettings } from './storage-policies.ts';

const VOLUME_BYTES = 1024 ** 3;

/** From the server that runs on the data, or from the data itself. */
export async function readFleet(
  config: Config, tenant: TenantId, parts: OrderParts,
): Promise<DurabilityInput> {
  const home = await findHome(config.of(serverSlice).dataDirectory, tenant);
  const figures = await order(config, { operation: 'store.figures', input: { tenant } }, parts) as
    unknown as Figures;
  const { blockCount, storedBytes, policy } = figures;
  const blockBytes = Math.max(1, Math.round(storedBytes / Math.max(1, blockCount)));
  const old = classesOf(figures, blockBytes);
  const inSets = old.reduce((sum, { volumes: count, volumeBytes }) => sum + count * volumeBytes, 0);
  const copiedBytes = Math.max(0, storedBytes - inSets);
  const volumes = Math.max(1, Math.ceil(copiedBytes / VOLUME_BYTES));
  const { settings } = settingsOfHome(storageSettings(config), home);
  const evidence = readEvidence(home.root, figures, parts.clock.now());
  return {
    disks: disksOf(figures),
    classes: [{
      name: old.length === 0 ? 'all files' : 'what has copies', volumes, openVolumes: 1,
      offsite: false,
      redundancy: {
        kind: 'replicas', copies: policy?.copies ?? 1, acknowledged: policy?.acksMin ?? 1,
      },
      volumeBytes: Math.max(1, Math.round(copiedBytes / volumes)), blockBytes,
    }, ...old],
    assumptions: {
      detectMs: { value: settings.missingAfterSeconds * 1000, origin: 'given' },
      repairBytesPerSecond: { value: settings.repairBytesPerSecond, origin: 'given' },
    },
    ...(evidence !== undefined && { evidence }),
  };
}

/** Old volumes that have parity in place of copies. */
function classesOf({ erasure = [] }: Figures, blockBytes: number): StorageClass[] {
  return erasure.map(({ data, parity, volumes, volumeBytes }) => ({
    name: `old volumes in sets of ${data} + ${parity}`, volumes, openVolumes: 0, offsite: false,
    redundancy: { kind: 'erasure', data, parity },
    volumeBytes: Math.max(1, Math.round(volumeBytes / volumes)), blockBytes,
  }));
}

function disksOf({ disks, space, storedBytes }: Figures): FleetDisk[] {
  if (disks === undefined) {
    return [{
      id: 'volumes', host: hostname(), rack: 'one', zone: 'one',
      capacityBytes: space?.totalBytes ?? storedBytes, usedBytes: storedBytes,
    }];
  }
  return disks.map(({ id, labels, totalBytes, volumeBytes }) => ({
    id, host: labels.host, rack: labels.rack, zone: labels.zone,
    capacityBytes: totalBytes ?? volumeBytes, usedBytes: volumeBytes,
  }));
}

/** What the last round of the disk scrubber and the open findings say. */
function readEvidence(path: string, figures: Figures, nowMs: number): Evidence | undefined {
  const store = SqliteVerifyStore.openReadonly(join(path, 'verify.db'));
  if (store === undefined) return undefined;
  try {
    return evidenceOf(verifyReport(store, nowMs), figures);
  } finally {
    store.close();
  }
}

function evidenceOf(report: VerifyReport, figures: Figures): Evidence | undefined {
  const scrubber = report.verifiers.find(({ id }) => id === 'disk-scrubber');
  if (scrubber?.lastEndedMs === undefined || scrubber.lastBegunMs === undefined) return undefined;
  const { checked, total } = scrubber.coverage;
  if (checked === 0 || total === 0) return undefined;
  const share = checked / total;
  const { blockCount, storedBytes, policy } = figures;
  const copies = policy?.copies ?? 1;
  return {
    // One round: whatever was there at its beginning has been looked at once.
    periodMs: scrubber.cycleMs, checkIntervalMs: scrubber.cycleMs,
    blocksKept: blockCount,
    blocksChecked: Math.round(blockCount * copies * share),
    bytesChecked: Math.round(storedBytes * copies * share),
    blocksBad: scrubber.openDamage, repairsDone: 0, blocksLost: 0,
    coverage: Math.min(1, share),
  };
}
