/** Which assumption the result hangs on most, and what would help most. */
import { ASSUMPTION_NAMES } from './assumptions-table.ts';
import type { AssumptionName, Assumptions, Origin } from './assumptions-table.ts';
import { shapeOf } from './fleet.ts';
import type { DiskSummary, StorageClass } from './fleet.ts';
import { fleetLoss } from './loss.ts';

export interface Influence {
  readonly name: AssumptionName;
  readonly value: number;
  readonly origin: Origin;
  /** If the figure grows by 1 %, the loss grows by so many per cent: 2 means squared. */
  readonly elasticity: number;
  /** The loss becomes so many times as large when the figure is twice as bad. */
  readonly ifTwiceAsBad: number;
  /** Of a cause of loss: the share of the loss that would go without it. Shares overlap, as two
   *  causes may be needed for one loss. */
  readonly shareOfLoss?: number;
}

export interface Remedy {
  readonly what: string;
  /** The loss with it, as a share of the loss now. */
  readonly remains: number;
}

interface Scene {
  readonly disks: DiskSummary;
  readonly classes: readonly StorageClass[];
  readonly assumptions: Assumptions;
}

const NUDGE = 0.01;
/** Causes of loss: without them less is lost. The others are times, rates and conditions. */
const CAUSES: readonly AssumptionName[] = [
  'diskLossesPerYear', 'hostLossesPerYear', 'rackLossesPerYear', 'zoneLossesPerYear',
  'damagePerTerabyteYear', 'degradedVolumesPerYear',
];

function lossOf({ disks, classes, assumptions }: Scene): number {
  return fleetLoss(disks, classes, assumptions).blockLossesPerYear;
}

/** The scene with one figure multiplied. */
function scaled(scene: Scene, name: AssumptionName, factor: number): Scene {
  const figure = scene.assumptions[name];
  const scaledUp = figure.value * factor;
  const value = name === 'offsiteUnusable' ? Math.min(1, scaledUp) : scaledUp;
  return { ...scene, assumptions: { ...scene.assumptions, [name]: { ...figure, value } } };
}

/** The largest influence first. */
export function influences(scene: Scene): Influence[] {
  const now = lossOf(scene);
  const found = ASSUMPTION_NAMES.map((name): Influence => {
    const { value, origin } = scene.assumptions[name];
    const up = lossOf(scaled(scene, name, 1 + NUDGE));
    const down = lossOf(scaled(scene, name, 1 / (1 + NUDGE)));
    const elasticity = up > 0 && down > 0 ? Math.log(up / down) / (2 * Math.log1p(NUDGE)) : 0;
    const worse = lossOf(scaled(scene, name, elasticity < 0 ? 0.5 : 2));
    const ifTwiceAsBad = now > 0 ? worse / now : 1;
    const influence = { name, value, origin, elasticity, ifTwiceAsBad };
    if (!CAUSES.includes(name) || now === 0) return influence;
    const shareOfLoss = Math.max(0, 1 - lossOf(scaled(scene, name, 0)) / now);
    return { ...influence, shareOfLoss };
  });
  return found.sort((a, b) => Math.abs(b.elasticity) - Math.abs(a.elasticity));
}

/** What an operator could do, the most helpful first. */
export function remedies(scene: Scene): Remedy[] {
  const now = lossOf(scene);
  if (now === 0) return [];
  const found: Remedy[] = [];
  const tell = (what: string, changed: Scene): void => {
    found.push({ what, remains: lossOf(changed) / now });
  };
  tell('repair twice as fast', scaled(scene, 'repairBytesPerSecond', 2));
  tell('scrub twice as often', scaled(scene, 'scrubIntervalMs', 0.5));
  tell('notice a lost disk in a third of the time', scaled(scene, 'detectMs', 1 / 3));
  tell('replace a dead disk in half the time', scaled(scene, 'replaceMs', 0.5));
  const more = scene.classes.map(withOneMore);
  const { disk } = scene.disks.domains;
  const fits = more.every(({ redundancy }) => shapeOf(redundancy).shards <= disk);
  if (fits) tell('one more copy or parity volume of everything', { ...scene, classes: more });
  if (scene.classes.some(({ offsite }) => !offsite)) {
    const classes = scene.classes.map((kept) => ({ ...kept, offsite: true }));
    tell('an off-site copy of everything', { ...scene, classes });
  }
  return found.filter(({ remains }) => remains < 0.99).sort((a, b) => a.remains - b.remains);
}

function withOneMore(kept: StorageClass): StorageClass {
  const { redundancy } = kept;
  if (redundancy.kind === 'erasure') {
    return { ...kept, redundancy: { ...redundancy, parity: redundancy.parity + 1 } };
  }
  const { copies, acknowledged } = redundancy;
  const more = { copies: copies + 1, acknowledged: acknowledged + 1 };
  return { ...kept, redundancy: { ...redundancy, ...more } };
}
