/** The web page that the tests look at, built as `npm start` builds it. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

interface Launcher {
  ensureWeb(root: string, print: (text: string) => void): Promise<boolean>;
}

/** Answers what is missing still. */
export async function buildWebPage(
  { root, print }: { readonly root: string; readonly print: (line: string) => void },
): Promise<string[]> {
  const launcher = createRequire(import.meta.url)(join(root, 'launcher/web.cjs')) as Launcher;
  let said = '';
  const isBuilt = await launcher.ensureWeb(root, (text) => {
    said += text;
  });
  if (said !== '') print(said.trimEnd());
  return isBuilt ? [] : ['web/dist'];
}
