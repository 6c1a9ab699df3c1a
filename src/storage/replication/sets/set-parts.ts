import type { Clock, Random } from '../../../platform/index.ts';
import type { OnCopyFinding } from '../copy-findings.ts';
import type { CopyTable } from '../copy-table.ts';
import type { DiskLink } from '../disk-link.ts';
import type { Pace } from '../pace.ts';
import type { ReplicatedVolumeFiles } from '../replicated-volume-files.ts';
import type { ReplicationPolicy } from '../volume-disk.ts';
import type { SetAccess } from './set-access.ts';
import type { SetView } from './set-view.ts';
import type { SetTable } from './set-table.ts';

/** What makes volumes cold, and what a set of them is. */
export interface ErasurePolicy {
  /** k: volumes of a set. */
  readonly data: number;
  /** m: parity files; so many disks of a set may be lost at once. */
  readonly parity: number;
  /** Since a volume was sealed. */
  readonly afterMs: number;
}

/** What making and keeping sets works on. */
export interface SetParts {
  readonly links: readonly DiskLink[];
  readonly copies: CopyTable;
  readonly sets: SetTable;
  readonly view: SetView;
  readonly access: SetAccess;
  readonly files: Pick<ReplicatedVolumeFiles, 'placementDisks' | 'noteFile' | 'reportDamage'>;
  readonly policy: ReplicationPolicy;
  readonly clock: Clock;
  readonly random: Random;
  readonly pace: Pace;
  /** Besides what is written. */
  readonly roomBytes: number;
  readonly onFinding: OnCopyFinding;
}
