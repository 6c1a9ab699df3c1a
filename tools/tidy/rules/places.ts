/** Things that have one place: the clock, timers, chance, the environment, SQL, Node's HTTP. */
import ts from 'typescript';
import { isTest, lineOf, walk } from '../project.ts';
import type { Finding, Project, SourceFile } from '../project.ts';

const TIMERS = ['setTimeout', 'setInterval'];
const KEYWORDS = [
  'SELECT\\s[^]*\\sFROM\\s', 'INSERT\\s+(OR\\s+\\w+\\s+)?INTO\\s', 'UPDATE\\s+\\w+\\s+SET\\s',
  'DELETE\\s+FROM\\s', '(CREATE|DROP|ALTER)\\s+(UNIQUE\\s+)?(TABLE|INDEX|TRIGGER|VIEW)\\s',
  'PRAGMA\\s', 'BEGIN\\s+(IMMEDIATE|EXCLUSIVE)',
].join('|');
/** In capitals or in small letters; a sentence begins with one capital. */
const SQL = new RegExp(`^\\s*(${KEYWORDS}|${KEYWORDS.toLowerCase()})`);

export function checkPlaces(project: Project): Finding[] {
  const sources = [...project.sources.values()].filter(({ path }) => path.startsWith('src/'));
  return sources.flatMap((source) => {
    const findings: Finding[] = [];
    walk(source.ast, (node) => {
      const found = complaintAbout(source, node);
      if (found === undefined) return;
      findings.push({ path: source.path, line: lineOf(source.ast, node), ...found });
    });
    return findings;
  });
}

type Complaint = Pick<Finding, 'rule' | 'message'>;

function complaintAbout({ path }: SourceFile, node: ts.Node): Complaint | undefined {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    return complaintAboutProperty(path, `${node.expression.text}.${node.name.text}`);
  }
  if (ts.isImportDeclaration(node)) return complaintAboutImport(path, node);
  const inPlatform = path.startsWith('src/platform/');
  if (isNow(node) && !inPlatform) return clock('new Date()');
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    const isTimer = TIMERS.includes(node.expression.text);
    if (isTimer && !inPlatform) return clock(node.expression.text);
  }
  const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node);
  return isText ? complaintAboutText(path, node) : undefined;
}

function complaintAboutProperty(path: string, name: string): Complaint | undefined {
  const inPlatform = path.startsWith('src/platform/');
  if (name === 'process.env' && !path.startsWith('src/platform/config/')) {
    const message = 'process.env is read in src/platform/config only; take a value by parameter';
    return { rule: 'environment', message };
  }
  if (name === 'Math.random' && !inPlatform) {
    return { rule: 'chance', message: 'take a Random by parameter instead of Math.random' };
  }
  const isClock = name === 'Date.now' || name === 'performance.now';
  return isClock && !inPlatform && !isTest(path) ? clock(name) : undefined;
}

function complaintAboutText(path: string, node: ts.LiteralLikeNode): Complaint | undefined {
  if (ts.isStringLiteralLike(node) && /^(node:)?timers(\/promises)?$/.test(node.text)) {
    const mayWait = path.startsWith('src/platform/') || isTest(path);
    return mayWait ? undefined : clock(node.text);
  }
  const mayHoldSql = /\/stores\/|^src\/platform\/(mariadb|sql)\//.test(path)
    || path === 'src/platform/data-lock.ts';
  if (mayHoldSql || isTest(path) || !SQL.test(node.text)) return undefined;
  return { rule: 'sql', message: 'SQL lives under stores/ only' };
}

/** Its module says what it costs. */
function complaintAboutImport(path: string, node: ts.ImportDeclaration): Complaint | undefined {
  const isOfTypes = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  const name = ts.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : '';
  if (name !== 'node:http' || isOfTypes || isTest(path)) return undefined;
  return { rule: 'http', message: "use the platform's nodeHttp; import only types of node:http" };
}

function isNow(node: ts.Node): boolean {
  return ts.isNewExpression(node) && ts.isIdentifier(node.expression) &&
    node.expression.text === 'Date' && (node.arguments?.length ?? 0) === 0;
}

function clock(name: string): Complaint {
  return { rule: 'clock', message: `take a Clock by parameter instead of ${name}` };
}
