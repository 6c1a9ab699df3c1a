/** `npm run tidy`: checks what the style page says and a program can see. Paths as arguments show
 *  only what lies below them. */
import { readFile, readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { makeProject } from './project.ts';
import { tidy } from './tidy.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDERS = ['src', 'web', 'test', 'tools', 'wire', 'launcher', 'docs', 'changelog', '.ci'];
const FILES = ['package.json', 'README.md', 'ARCHITECTURE.md', 'holdfast', 'eslint.config.js'];
const READ = /\.(tsx?|css|md|json|cjs|mjs|js|sh|toml|ya?ml)$|^[a-z-]+$/;
const NOT_OURS = /(^|\/)(node_modules|fixtures|screenshots)(\/|$)|^web\/(dist|\.dist-next)\//;

async function readTree(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const add = async (path: string): Promise<void> => {
    const name = relative(ROOT, path).replaceAll('\\', '/');
    if (!NOT_OURS.test(name)) files.set(name, await readFile(path, 'utf8'));
  };
  for (const folder of FOLDERS) {
    const entries = await list(join(ROOT, folder));
    const wanted = entries.filter((entry) => entry.isFile() && READ.test(entry.name));
    await Promise.all(wanted.map(({ parentPath, name }) => add(join(parentPath, name))));
  }
  const present = (await readdir(ROOT)).filter((name) => FILES.includes(name));
  await Promise.all(present.map((name) => add(join(ROOT, name))));
  return files;
}

async function list(folder: string): Promise<Awaited<ReturnType<typeof entriesOf>>> {
  try {
    return await entriesOf(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function entriesOf(folder: string) {
  return readdir(folder, { recursive: true, withFileTypes: true });
}

const project = makeProject(await readTree());
const below = process.argv.slice(2);
const findings = tidy(project).filter(({ path }) => {
  return below.length === 0 || below.some((prefix) => path.startsWith(prefix));
});
for (const { path, line, rule, message } of findings) {
  console.log(`${path}:${line}  ${rule}: ${message}`);
}
// A check that looks at nothing must not say that all is well.
if (project.sources.size === 0) throw new Error('tidy found no source files');
console.log(`tidy: ${project.sources.size} files, ${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;
