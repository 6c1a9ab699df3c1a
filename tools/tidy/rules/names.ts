/** Names that say nothing, or say it in another house's way. */
import { basename } from 'node:path';
import ts from 'typescript';
import { lineOf, walk } from '../project.ts';
import type { Finding, Project, SourceFile } from '../project.ts';

const EMPTY_WORDS = ['util', 'utils', 'common', 'misc', 'manager', 'helper', 'helpers', 'stuff'];
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|conformance|config|d))?\.tsx?$/;

export function checkNames(project: Project): Finding[] {
  return [...project.sources.values()].flatMap((source) => [
    ...checkFileName(source), ...checkDeclared(source),
  ]);
}

function checkFileName({ path }: SourceFile): Finding[] {
  const finding = (message: string): Finding => ({ path, line: 1, rule: 'file-name', message });
  const findings = KEBAB.test(basename(path)) ? [] : [finding('write file names in kebab-case')];
  const words = path.replace(/\.ts$/, '').split(/[/.-]/);
  const empty = words.find((word) => EMPTY_WORDS.includes(word));
  if (empty !== undefined) findings.push(finding(`"${empty}" says nothing; name what is inside`));
  return findings;
}

function checkDeclared({ path, ast }: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(ast, (node) => {
    const isType = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
    if (!isType && !ts.isClassDeclaration(node)) return;
    const name = node.name?.text ?? '';
    const message = complaintAbout(name, isType);
    if (message === undefined) return;
    findings.push({ path, line: lineOf(ast, node), rule: 'name', message });
  });
  return findings;
}

function complaintAbout(name: string, isType: boolean): string | undefined {
  if (isType && /^I[A-Z][a-z]/.test(name)) return `${name}: no I in front of interfaces`;
  if (/Impl$/.test(name)) return `${name}: name an implementation after its technology`;
  if (/(Manager|Util|Utils|Helper|Helpers)$/.test(name)) return `${name}: say what it does`;
  return undefined;
}
