/** Files stop at 500 lines (tests and tables at 800), functions at 70, lines at 100 columns. */
import ts from 'typescript';
import { isTest, lineOf, walk } from '../project.ts';
import type { Finding, Project, SourceFile } from '../project.ts';

const FILE_LINES_MAX = 500;
const SUITE_LINES_MAX = 800;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;
/** tools/wire-client.ts writes them, as long as the API is. */
const MADE_BY_TOOLS = new Set(['src/wire/client.ts', 'src/wire/client-schema.ts']);

export function checkSizes(project: Project): Finding[] {
  return [...project.sources.values()].flatMap((source) => [
    ...checkFile(source), ...checkColumns(source), ...checkFunctions(source),
  ]);
}

function checkFile({ path, lines }: SourceFile): Finding[] {
  if (MADE_BY_TOOLS.has(path)) return [];
  const isTable = /-(table|schema|statements)\.ts$/.test(path);
  const linesMax = isTest(path) || isTable ? SUITE_LINES_MAX : FILE_LINES_MAX;
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  if (count <= linesMax) return [];
  const message = `${count} lines; files stop at ${linesMax}`;
  return [{ path, line: linesMax + 1, rule: 'file-size', message }];
}

function checkColumns({ path, lines }: SourceFile): Finding[] {
  return lines.flatMap((line, at): Finding[] => {
    // Some things cannot be broken: long regular expressions, addresses.
    const columns = [...line].length;
    if (columns <= COLUMNS_MAX || !/\s/.test(line.trim().slice(0, -40))) return [];
    return [{ path, line: at + 1, rule: 'columns', message: `${columns} columns; stop at 100` }];
  });
}

function checkFunctions({ path, ast }: SourceFile): Finding[] {
  const findings: Finding[] = [];
  walk(ast, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
    if (holdsTests(node.body)) return;
    const first = lineOf(ast, node);
    const count = ast.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - first;
    if (count <= FUNCTION_LINES_MAX) return;
    const message = `${count} lines; functions stop at ${FUNCTION_LINES_MAX}`;
    findings.push({ path, line: first, rule: 'function-size', message });
  });
  return findings;
}

/** The function around a suite's tests is a chapter, not a function. */
function holdsTests(body: ts.Node): boolean {
  let found = false;
  walk(body, (node) => {
    const isCall = ts.isCallExpression(node) && ts.isIdentifier(node.expression);
    if (isCall && ['it', 'describe', 'test'].includes(node.expression.text)) found = true;
  });
  return found;
}
