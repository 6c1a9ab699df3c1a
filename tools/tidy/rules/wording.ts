/** Words that must not stay: promises without a number, tests left alone, talk of the workplace. */
import ts from 'typescript';
import { lineOf, walk } from '../project.ts';
import type { Finding, Project, SourceFile } from '../project.ts';

/** Taken apart, so that this file does not hold what it looks for. */
const word = (...parts: string[]): string => parts.join('');
const OPEN_ENDS = new RegExp(
  `\\b(${word('TO', 'DO')}(?!\\(#\\d+\\):)|${word('FIX', 'ME')}|${word('X', 'XX')})\\b`,
);
const WORKPLACE = new RegExp(
  [
    `\\b(${word('cla', 'ude')}|${word('anth', 'ropic')}|${word('open', 'ai')}`,
    `|${word('chat', 'gpt')}|${word('co', 'pilot')}|${word('ll', 'm')}s?`,
    `|${word('sub', '-?agent')}s?`,
    `|${word('language ', 'model')}s?|${word('ai ', '(assistant|agent)')}s?`,
    `|${word('the ', 'brief')}|${word('the ', 'lead')} (commits|decides|wants)`,
    `|${word('fellow ', 'helper')}s?)\\b|/${word('wo', 'rk')}/(main|shared)\\b`,
  ].join(''),
  'i',
);
const FOCUS = ['only', 'skip', 'todo'];
const TEST_CALLS = ['it', 'describe', 'test', 'suite', 'before', 'after'];

export function checkWording(project: Project): Finding[] {
  const texts = [...project.texts].filter(([path]) => !path.endsWith('package-lock.json'));
  return [
    ...[...project.sources.values()].flatMap((source) => [
      ...checkLines(source.path, source.lines), ...checkFocus(source),
    ]),
    ...texts.flatMap(([path, text]) => checkLines(path, text.split('\n'))),
  ];
}

function checkLines(path: string, lines: readonly string[]): Finding[] {
  return lines.flatMap((line, at): Finding[] => {
    const isOpen = OPEN_ENDS.exec(line);
    const isWork = WORKPLACE.exec(line);
    const found: Finding[] = [];
    const add = (rule: string, message: string): void => {
      found.push({ path, line: at + 1, rule, message });
    };
    if (isOpen !== null) add('open-end', 'name the issue, as in (#123), or leave it out');
    if (isWork !== null) add('workplace', `the project speaks of itself alone: "${isWork[0]}"`);
    return found;
  });
}

/** `it.only` silences all other tests; a skip hides one for ever unless it gives its reason. */
function checkFocus({ path, ast }: SourceFile): Finding[] {
  const findings: Finding[] = [];
  const add = (node: ts.Node, name: string): void => {
    const message = `.${name} must not stay; a skip gives its reason as { skip: 'reason' }`;
    findings.push({ path, line: lineOf(ast, node), rule: 'focus', message });
  };
  walk(ast, (node) => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const isTestCall = TEST_CALLS.includes(node.expression.text);
      if (isTestCall && FOCUS.includes(node.name.text)) add(node, node.name.text);
    }
    const isOption = ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) &&
      FOCUS.includes(node.name.text) && node.initializer.kind === ts.SyntaxKind.TrueKeyword;
    if (isOption) add(node, node.name.getText(ast));
  });
  return findings;
}
