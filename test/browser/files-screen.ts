/** What tests of the page do in the list of files, and where they look. */
import type { Locator, Page } from 'playwright-core';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { WAIT_MS } from './browser-page.ts';

const text = (content: string) => ({ mimeType: 'text/plain', buffer: Buffer.from(content) });

export function row(page: Page, name: string): Locator {
  const link = page.getByRole('link', { name, exact: true });
  return page.getByRole('row').filter({ has: link });
}

/** Beside the name, which would open it. */
export function select(
  page: Page, name: string, modifiers: ('Shift' | 'Control')[] = [],
): Promise<void> {
  return row(page, name).getByRole('gridcell').nth(2).click({ modifiers });
}

export function said(page: Page, words: string | RegExp): Promise<void> {
  return page.getByRole('status', { name: 'Messages' }).getByText(words).first().waitFor();
}

/** Sooner or later: the page shows a step before the server has answered, and a message of one step
 *  may still be there at the next. `undefined`: nothing is there. */
export async function stored(
  user: DavClient, path: string, wanted: string | undefined,
): Promise<void> {
  await eventually(WAIT_MS, `${path} is ${wanted ?? 'gone'}`, async () => {
    const { status, text: found } = await user.get(path);
    return wanted === undefined ? status === 404 : found === wanted;
  });
}

export async function upload(page: Page, files: Record<string, string>): Promise<void> {
  await page.getByLabel('Upload files').first().setInputFiles(
    Object.entries(files).map(([name, content]) => ({ name, ...text(content) })),
  );
}
