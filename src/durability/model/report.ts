import type { DomainLevel } from '../../storage/index.ts';
import { ASSUMPTIONS, ASSUMPTION_NAMES, settleAssumptions } from './assumptions-table.ts';
import type { AssumptionName, Assumptions, Figure } from './assumptions-table.ts';
import { upperBound, weighEvidence } from './evidence.ts';
import type { Evidence, EvidenceResult } from './evidence.ts';
import { checkFleet, shapeOf, summarizeDisks } from './fleet.ts';
import type { Fleet, Redundancy, StorageClass } from './fleet.ts';
import { fleetLoss } from './loss.ts';
import type { ClassLoss } from './loss.ts';
import { placementOf } from './placement.ts';
import { influences, remedies } from './sensitivity.ts';
import type { Influence, Remedy } from './sensitivity.ts';

export interface DurabilityInput extends Fleet {
  /** What the verifiers counted; left out when none has run yet. */
  readonly evidence?: Evidence;
}

/** A chance within one year. `nines` is -log10 of it; not there when it is 0. */
export interface YearlyChance {
  readonly probability: number;
  readonly nines?: number;
}

export interface ClassReport {
  readonly name: string;
  readonly redundancy: Redundancy;
  readonly volumes: number;
  readonly offsite: boolean;
  readonly spread: DomainLevel;
  readonly hasSpare: boolean;
  readonly repairMs: number;
  readonly anyBlock: YearlyChance;
  readonly anyVolume: YearlyChance;
  readonly oneVolume: YearlyChance;
  /** What an operator should know about how this class is kept. */
  readonly remarks: readonly string[];
}

export interface AssumptionReport extends Figure {
  readonly name: AssumptionName;
  readonly label: string;
  readonly meaning: string;
}

export type Verdict = 'no-evidence' | 'agrees' | 'too-hopeful';

export interface EvidenceReport extends EvidenceResult {
  readonly counts: Evidence;
  readonly verdict: Verdict;
  /** Each in a full sentence. */
  readonly conclusions: readonly string[];
}

/** Plain data: `JSON.stringify` keeps all of it. */
export interface DurabilityReport {
  readonly format: 1;
  readonly disks: number;
  readonly anyBlock: YearlyChance;
  readonly anyVolume: YearlyChance;
  readonly classes: readonly ClassReport[];
  readonly assumptions: readonly AssumptionReport[];
  readonly influences: readonly Influence[];
  readonly remedies: readonly Remedy[];
  readonly evidence?: EvidenceReport;
}

/** Pure. @throws invalid: the fleet cannot be as described, with all reasons. */
export function durabilityReport(input: DurabilityInput): DurabilityReport {
  checkFleet(input);
  const { classes, evidence } = input;
  const ownRates = input.disks.map(({ lossesPerYear }) => lossesPerYear);
  const assumptions = settleAssumptions(input.assumptions, ownRates);
  const disks = summarizeDisks(input.disks);
  const loss = fleetLoss(disks, classes, assumptions);
  const scene = { disks, classes, assumptions };
  return {
    format: 1,
    disks: disks.domains.disk,
    anyBlock: chanceOf(loss.blockLossesPerYear),
    anyVolume: chanceOf(loss.volumeLossesPerYear),
    classes: loss.classes.map((result, at) => {
      const kept = classes[at] as StorageClass;
      const single = placementOf(disks, kept).levels.filter(({ shares }) => {
        return shares.some(({ takes }) => takes > shapeOf(kept.redundancy).tolerated);
      });
      return classReport(kept, result, single.map(({ level }) => level));
    }),
    assumptions: assumptionReports(assumptions),
    influences: influences(scene),
    remedies: remedies(scene),
    ...(evidence !== undefined && {
      evidence: evidenceReport(evidence, assumptions, loss.blockLossesPerYear),
    }),
  };
}

/** `single`: losing one domain of these levels is too much. */
function classReport(
  kept: StorageClass, result: ClassLoss, single: readonly DomainLevel[],
): ClassReport {
  const { name, redundancy, volumes, offsite } = kept;
  const { spread, hasSpare, repairMs } = result;
  return {
    name, redundancy, volumes, offsite, spread, hasSpare, repairMs,
    anyBlock: chanceOf(result.blockLossesPerYear),
    anyVolume: chanceOf(result.volumeLossesPerYear),
    oneVolume: asChance(result.oneVolumeLoss),
    remarks: remarksOn(kept, hasSpare, single),
  };
}

function chanceOf(eventsPerYear: number): YearlyChance {
  return asChance(-Math.expm1(-eventsPerYear));
}

function asChance(probability: number): YearlyChance {
  return probability > 0 ? { probability, nines: -Math.log10(probability) } : { probability };
}

function assumptionReports(assumptions: Assumptions): AssumptionReport[] {
  return ASSUMPTION_NAMES.map((name) => {
    const { label, meaning } = ASSUMPTIONS[name];
    return { name, label, meaning, ...assumptions[name] };
  });
}

function remarksOn(
  { redundancy, offsite }: StorageClass, hasSpare: boolean, single: readonly DomainLevel[],
): string[] {
  const { shards, tolerated } = shapeOf(redundancy);
  if (tolerated === 0) return offsite ? [] : ['one copy: a lost disk is lost data'];
  const remarks: string[] = [];
  const [smallest] = single;
  if (smallest !== undefined) {
    remarks.push(`losing one ${smallest} is too much, there are too few to spread over`);
  }
  if (!hasSpare) {
    remarks.push(`no place is free beside the ${shards} in use: repair waits for a replacement`);
  }
  return remarks;
}

function evidenceReport(
  counts: Evidence, assumed: Assumptions, lossesPerYear: number,
): EvidenceReport {
  const result = weighEvidence(counts);
  const { damage, disks } = result;
  const conclusions: string[] = [];
  let hopeful = false;
  const compare = (what: string, seen: { atLeast: number }, value: number): void => {
    if (seen.atLeast <= value) return;
    hopeful = true;
    conclusions.push(`${what} is worse than assumed, with 95 % confidence: set the figure higher.`);
  };
  compare('The rate of silent damage', damage, assumed.damagePerTerabyteYear.value);
  if (disks !== undefined) {
    compare('The rate of lost disks', disks, assumed.diskLossesPerYear.value);
  }
  const years = counts.periodMs / (365.25 * 24 * 3600 * 1000);
  const expected = lossesPerYear * years;
  // Losses come in events, so even one that the model holds for next to impossible refutes it.
  if (counts.blocksLost > 0 && expected < 0.05) {
    hopeful = true;
    conclusions.push('Blocks were lost that the model says cannot be lost: do not believe it.');
  }
  if (counts.blocksLost === 0 && expected > upperBound(0)) {
    conclusions.push('Less was lost than the model expects: it is too careful for this fleet.');
  }
  const isEmpty = counts.blocksChecked === 0;
  if (isEmpty) conclusions.push('Nothing has been checked yet: all rests on the assumptions.');
  const sound = hopeful ? 'too-hopeful' : 'agrees';
  return { ...result, counts, verdict: isEmpty ? 'no-evidence' : sound, conclusions };
}
