import { checkDeadFiles } from './rules/dead-files.ts';
import { checkFloors } from './rules/floors.ts';
import { checkNames } from './rules/names.ts';
import { checkPlaces } from './rules/places.ts';
import { checkSizes } from './rules/sizes.ts';
import { checkWording } from './rules/wording.ts';
import type { Finding, Project, Rule } from './project.ts';

const RULES: readonly Rule[] = [
  checkFloors, checkSizes, checkNames, checkPlaces, checkDeadFiles, checkWording,
];

/** All that is wrong, by path and line. */
export function tidy(project: Project): Finding[] {
  const findings = RULES.flatMap((rule) => rule(project));
  return findings.sort((a, b) => order(a.path, b.path) || a.line - b.line);
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
