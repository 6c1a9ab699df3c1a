/** The source tree as the rules see it: parsed once, in memory, so that tests can plant trees. */
import { dirname, posix } from 'node:path';
import ts from 'typescript';

export interface Finding {
  /** From the root of the repository. */
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  /** What is wrong and what to do. */
  readonly message: string;
}

export interface ImportedFile {
  /** Path from the root of the repository. */
  readonly path: string;
  readonly line: number;
  /** False for a worker's or asset's file named by a string, such as `new URL('./x.ts', …)`. */
  readonly isImport: boolean;
}

export interface ImportedPackage {
  /** `node:fs`, `pino`, `@node-rs/crc32`. */
  readonly name: string;
  readonly line: number;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly ast: ts.SourceFile;
  readonly files: readonly ImportedFile[];
  readonly packages: readonly ImportedPackage[];
}

export interface Project {
  readonly sources: ReadonlyMap<string, SourceFile>;
  /** Text files that are no TypeScript: documents, scripts. */
  readonly texts: ReadonlyMap<string, string>;
}

export type Rule = (project: Project) => Finding[];

/** `files` maps paths from the root, with slashes, to their text. */
export function makeProject(files: ReadonlyMap<string, string>): Project {
  const sources = new Map<string, SourceFile>();
  const texts = new Map<string, string>();
  for (const [path, text] of files) {
    if (/\.tsx?$/.test(path)) sources.set(path, parseSource(path, text));
    else texts.set(path, text);
  }
  return { sources, texts };
}

function parseSource(path: string, text: string): SourceFile {
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const ast = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, kind);
  const files: ImportedFile[] = [];
  const packages: ImportedPackage[] = [];
  const add = (specifier: string, node: ts.Node, isImport: boolean): void => {
    const line = lineOf(ast, node);
    if (!specifier.startsWith('.')) packages.push({ name: packageOf(specifier), line });
    else files.push({ path: posix.join(dirname(path), specifier), line, isImport });
  };
  walk(ast, (node) => {
    const specifier = importSpecifier(node);
    if (specifier !== undefined) add(specifier.text, specifier, true);
    else if (ts.isStringLiteralLike(node) && !isPartOfImport(node)) {
      if (/^\.\.?\/.*\.ts$/.test(node.text)) add(node.text, node, false);
      // Named from the root, as tools name the files they start.
      const isFromRoot = /^tools\/.*\.ts$/.test(node.text);
      if (isFromRoot) files.push({ path: node.text, line: lineOf(ast, node), isImport: false });
    }
  });
  return { path, text, lines: text.split('\n'), ast, files, packages };
}

/** The text after `from`, inside `import()`, or inside a type's `import('…')`. */
function importSpecifier(node: ts.Node): ts.StringLiteralLike | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    const specifier = node.moduleSpecifier;
    return specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier : undefined;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [first] = node.arguments;
    return first !== undefined && ts.isStringLiteralLike(first) ? first : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    const { literal } = node.argument;
    return ts.isStringLiteralLike(literal) ? literal : undefined;
  }
  return undefined;
}

function isPartOfImport(node: ts.Node): boolean {
  const { parent } = node;
  return importSpecifier(parent) === node || importSpecifier(parent.parent) === node;
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

export function lineOf(ast: ts.SourceFile, node: ts.Node): number {
  return ast.getLineAndCharacterOfPosition(node.getStart(ast)).line + 1;
}

export function isTest(path: string): boolean {
  return /\.(test|conformance)\.ts$/.test(path) || /\/(testing|conformance)\//.test(path);
}
