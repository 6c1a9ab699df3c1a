/** Who may import whom: the floors, the doors, the backends, and the packages of others. */
import ts from 'typescript';
import { isTest, lineOf, walk } from '../project.ts';
import type { Finding, ImportedFile, Project, SourceFile } from '../project.ts';

const FLOORS: Readonly<Record<string, number>> = {
  base: 0, wire: 0,
  platform: 1,
  traffic: 2, audit: 2, mail: 2, schema: 2, tables: 2,
  storage: 3, metadata: 3, identity: 3,
  files: 4,
  sync: 5, content: 5, durability: 5, webhooks: 5,
  protocols: 6, operations: 6, cli: 6,
  app: 7,
};
/** Tests of the whole and tools look at the house from outside. */
const OUTSIDE = ['test', 'tools'];
/** The web page knows the server by the API alone: of all that is ours it may know the wire. */
const WEB = 'web';
const WEB_MAY_KNOW = ['web', 'wire', 'base'];
/** Their files are imported singly; `app` by tools and tests alone. */
const DOORLESS = ['base', 'wire', 'app'];
/** Doors beside a module's own, of parts that most who use the module never load. */
const SIDE_DOORS = ['src/platform/mariadb/index.ts'];
/** Doors for tests alone. */
const TEST_DOORS = [
  'src/platform/mariadb/testing/index.ts', 'src/metadata/stores/mariadb/testing/index.ts',
  'src/schema/testing/index.ts', 'src/platform/sql/testing/index.ts',
];

/** Parts of storage that work on volume files, of several disks or other machines: the files of a
 *  local disk are their ground, not one backend among others. */
const ON_VOLUME_FILES = /^src\/storage\/(erasure|filer|replication)\//;

/** The simulator plays the storage's parts against each other, with disks of its own below them. */
const PLAYS_PARTS = /^test\/simulation\//;
const VOLUME_FILES = 'src/storage/backends/local/';

/** Packages and the only folders that may use them. What is not listed needs a line here, and an
 *  ADR: a dependency is a decision. */
const PACKAGES: Readonly<Record<string, readonly RegExp[]>> = {
  '@node-rs/crc32': [/^src\/(storage|durability)\//],
  ajv: [/^src\/protocols\/rest\/testing\//],
  'ajv-formats': [/^src\/protocols\/rest\/testing\//],
  aws4: [/^src\/storage\/backends\/(s3|testing)\//],
  'better-sqlite3': [
    /\/stores\//, /^src\/platform\/(?:data-lock|sql\/(?:testing\/)?sqlite-[a-z]+)\.ts$/,
  ],
  commander: [/^src\/cli\//],
  fastify: [/^src\/protocols\/rest\//],
  ws: [/^src\/protocols\/events\//, /^tools\/bench\/items\//],
  'fast-check': [/\.(test|conformance)\.ts$/, /\/(testing|conformance)\//, /^test\//],
  mysql2: [/^src\/platform\/mariadb\//],
  nodemailer: [/^src\/mail\/backends\/smtp\//],
  otpauth: [/^src\/identity\/one-time-codes\.ts$/, /\.test\.ts$/],
  pino: [/^src\/platform\//],
  'prom-client': [/^src\/platform\//],
  saxes: [/^src\/protocols\//, /^src\/storage\/backends\//, /^test\//],
  'smol-toml': [/^src\/platform\//],
  'smtp-server': [/^src\/mail\/backends\/testing\//],
  typebox: [/^src\/wire\//, /^src\/protocols\/rest\//],
  react: [/^web\//], 'react-dom': [/^web\//], vite: [/^web\//],
  '@vitejs/plugin-react': [/^web\//], '@mantine/core': [/^web\//], '@mantine/hooks': [/^web\//],
  '@tanstack/react-query': [/^web\//], '@tanstack/react-router': [/^web\//],
  '@tanstack/react-virtual': [/^web\//], uplot: [/^web\//], uqr: [/^web\//],
  'playwright-core': [/^test\/browser\//, /^tools\/bench\/items\//],
  'axe-core': [/^test\/browser\//],
  typescript: [/^tools\//],
  'unicode-case-folding': [/^src\/base\//],
};

interface Place {
  readonly module: string;
  readonly floor: number;
}

function placeOf(path: string): Place | undefined {
  const [top = '', second = ''] = path.split('/');
  if (OUTSIDE.includes(top) || top === WEB) return { module: top, floor: 8 };
  const module = top === 'wire' ? 'wire' : second;
  const floor = top === 'src' || top === 'wire' ? FLOORS[module] : undefined;
  return floor === undefined ? undefined : { module, floor };
}

export function checkFloors(project: Project): Finding[] {
  return [...project.sources.values()].flatMap((source) => [
    ...checkPlace(source),
    ...source.files.flatMap((imported) => checkImport(source, imported, project)),
    ...checkPackages(source),
    ...checkDoor(source),
  ]);
}

function checkPlace({ path }: SourceFile): Finding[] {
  if (!path.startsWith('src/') || placeOf(path) !== undefined) return [];
  const message = 'no floor is known for this module; add it to tools/tidy/rules/floors.ts';
  return [{ path, line: 1, rule: 'floor', message }];
}

function checkImport(source: SourceFile, imported: ImportedFile, project: Project): Finding[] {
  const { path } = source;
  const finding = (rule: string, message: string): Finding[] => {
    return [{ path, line: imported.line, rule, message }];
  };
  if (!project.sources.has(imported.path)) {
    const isCode = imported.isImport && imported.path.endsWith('.ts');
    return isCode ? finding('import', `${imported.path} does not exist`) : [];
  }
  const from = placeOf(path);
  const to = placeOf(imported.path);
  if (from === undefined || to === undefined) return [];
  if (from.module === WEB && !WEB_MAY_KNOW.includes(to.module)) {
    return finding('floor', `the web page may not know ${to.module}; it asks by the API`);
  }
  if (from.module === to.module) return checkInside(source, imported, to.module);
  if (from.floor <= to.floor) {
    const way = from.floor === to.floor ? 'of the same floor' : 'of a higher floor';
    return finding('floor', `${from.module} may not know ${to.module}, ${way}`);
  }
  const isDoor = imported.path === `src/${to.module}/index.ts` || DOORLESS.includes(to.module)
    || SIDE_DOORS.includes(imported.path) || isDoorOfTests(path, imported.path, from);
  if (isDoor || mayReachInside(path, imported.path, from)) return [];
  return finding('door', `import from src/${to.module}/index.ts, the door of ${to.module}`);
}

function isDoorOfTests(path: string, target: string, { module }: Place): boolean {
  return TEST_DOORS.includes(target) && (isTest(path) || OUTSIDE.includes(module));
}

/** Backends are chosen in `app`, and tests may use what lives in memory; tests of the whole may
 *  open any backend, to look at or to spoil what it wrote. Simulations put parts together that no
 *  program does, and spoil what lies inside. */
function mayReachInside(path: string, target: string, from: Place): boolean {
  if (path.startsWith('test/simulation/')) return true;
  if (PLAYS_PARTS.test(path)) return true;
  if (!isBackend(target)) return false;
  if (from.module === 'app' || OUTSIDE.includes(from.module)) return true;
  return isTest(path) && target.includes('/memory/');
}

function isBackend(path: string): boolean {
  return /\/(backends|stores)\//.test(path);
}

function checkInside({ path }: SourceFile, imported: ImportedFile, module: string): Finding[] {
  const finding = (message: string): Finding[] => {
    return [{ path, line: imported.line, rule: 'door', message }];
  };
  if (imported.path === `src/${module}/index.ts` && imported.isImport && path.startsWith('src/')) {
    return finding('inside a module import the file itself, not the door');
  }
  const isGround = ON_VOLUME_FILES.test(path) && imported.path.startsWith(VOLUME_FILES);
  const reaches = isBackend(imported.path) && !isBackend(path) && !isTest(path) && !isGround;
  return reaches && path.startsWith('src/') ? finding('only app may name a backend') : [];
}

function checkPackages({ path, packages }: SourceFile): Finding[] {
  return packages.flatMap(({ name, line }): Finding[] => {
    if (name.startsWith('node:')) return [];
    const folders = PACKAGES[name];
    if (folders?.some((folder) => folder.test(path)) === true) return [];
    const known = folders === undefined ? 'is not known to tidy' : 'may not be used here';
    const message = `the package ${name} ${known}; see tools/tidy/rules/floors.ts`;
    return [{ path, line, rule: 'package', message }];
  });
}

/** A door lists names by hand; and everything has a name, so nothing is exported as default. */
function checkDoor({ path, ast }: SourceFile): Finding[] {
  const findings: Finding[] = [];
  const add = (node: ts.Node, message: string): void => {
    findings.push({ path, line: lineOf(ast, node), rule: 'export', message });
  };
  walk(ast, (node) => {
    const hasStar = ts.isExportDeclaration(node) && node.exportClause === undefined;
    if (hasStar) add(node, 'list the exported names by hand');
    const isDefault = ts.isExportAssignment(node) ||
      (ts.canHaveModifiers(node) &&
        ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) === true);
    if (isDefault) add(node, 'export by name');
  });
  return findings;
}
