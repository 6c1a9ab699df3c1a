/** Styles of a view that was left stay in the document: each needs names of its own. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const SOURCES = join(import.meta.dirname, '..');

/** Classes that rules of the sheet are about on their own, at any width. */
function classesOf(sheet: string): Set<string> {
  const rules = sheet.replaceAll(/\/\*.*?\*\//gs, '')
    .replaceAll(/@media[^{]*\{(?:[^{}]*\{[^}]*\})*\s*\}/g, '');
  const selectors = [...rules.matchAll(/([^{};]+)\{/g)].flatMap(([, text = '']) => text.split(','));
  return new Set(selectors.map((text) => text.trim()).filter((text) => /^\.hf-[\w-]+$/.test(text)));
}

it('gives each class its look in one sheet alone', () => {
  const homes = new Map<string, string[]>();
  for (const path of globSync('**/*.css', { cwd: SOURCES })) {
    for (const name of classesOf(readFileSync(join(SOURCES, path), 'utf8'))) {
      homes.set(name, [...homes.get(name) ?? [], path]);
    }
  }
  assert.ok(homes.size > 100);
  assert.deepEqual([...homes].filter(([, paths]) => paths.length > 1), []);
});
