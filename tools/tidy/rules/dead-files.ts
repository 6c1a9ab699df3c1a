/** A file nobody can reach is not part of the program, but its reader does not know. */
import type { Finding, Project } from '../project.ts';

/** What the pages that are built begin with. */
const PAGES = new Set(['web/src/main.tsx', 'web/src/reference/main.ts']);

/** Where running begins: the program, the tests, and what package.json or scripts name. */
function isRoot(path: string, named: string): boolean {
  if (path === 'src/app/main.ts' || path.endsWith('.test.ts')) return true;
  if (PAGES.has(path) || /^web\/[^/]+\.ts$|\.d\.ts$/.test(path)) return true;
  return /^(tools|test)\//.test(path) && named.includes(path);
}

export function checkDeadFiles(project: Project): Finding[] {
  const named = [...project.texts].filter(([path]) => /\.(json|cjs|mjs|sh)$|run$/.test(path));
  const text = named.map(([, content]) => content).join('\n');
  const waiting = [...project.sources.keys()].filter((path) => isRoot(path, text));
  const reached = new Set(waiting);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const { path: next } of project.sources.get(path)?.files ?? []) {
      if (reached.has(next) || !project.sources.has(next)) continue;
      reached.add(next);
      waiting.push(next);
    }
  }
  return [...project.sources.keys()].filter((path) => !reached.has(path)).map((path) => {
    const message = 'neither the program nor a test nor a tool reaches this file';
    return { path, line: 1, rule: 'dead-file', message };
  });
}
