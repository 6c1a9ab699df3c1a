/** The web page's files, as people use them: with a mouse, with keys, on a phone. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import {
  DESKTOP, PHONE, WAIT_MS, browserForTests, buildPage, obstaclesOn, picture, signIn,
} from './browser-page.ts';
import type { Visitor } from './browser-page.ts';
import { row, said, select, stored, upload } from './files-screen.ts';

describe('the files in a browser', { timeout: 900_000 }, () => {
  const servers = serverForTests();
  const browsers = browserForTests();
  let server: TestServer;
  let ada: DavClient;
  let visitor: Visitor;
  let page: Page;

  before(async () => {
    await buildPage();
    server = await servers.start();
    ada = await server.addUser();
    visitor = await browsers.visit(server);
    page = visitor.page;
  });

  it('asks whoever is not signed in to sign in, and says when a password is wrong', async () => {
    await page.goto('/app/');
    await page.getByLabel('User name').fill(ada.name);
    await page.getByLabel('Password', { exact: true }).fill('not that');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The user name or the password is not right.').waitFor();
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'sign-in');
    await signIn(page, ada);
    await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();
    await picture(page, 'empty');
  });

  it('uploads files, and asks what to do when a name is taken', async () => {
    await upload(page, { 'notes.txt': 'first', 'Read me.md': '# Welcome\n\n**Bold** words' });
    await row(page, 'notes.txt').waitFor();
    await upload(page, { 'notes.txt': 'second' });
    await page.getByRole('dialog', { name: /already there/ }).waitFor();
    await picture(page, 'conflict');
    await page.getByRole('button', { name: /Keep both/ }).click();
    await row(page, 'notes (2).txt').waitFor();
    await stored(ada, 'notes.txt', 'first');
    await stored(ada, 'notes (2).txt', 'second');
    const tray = page.getByRole('region', { name: 'Uploads' });
    await tray.getByRole('button', { name: 'Close' }).click();
  });

  it('makes, renames, moves, copies and deletes, and takes each of them back', async () => {
    await page.keyboard.press('Shift+N');
    await page.getByLabel('Name of the folder').fill('Plans');
    await page.keyboard.press('Enter');
    await row(page, 'Plans').waitFor();

    await select(page, 'notes.txt');
    await page.keyboard.press('F2');
    await page.getByLabel('New name for notes.txt').fill('ideas.txt');
    await page.keyboard.press('Enter');
    await said(page, 'Renamed to “ideas.txt”');
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await row(page, 'notes.txt').waitFor();
    await stored(ada, 'notes.txt', 'first');

    await row(page, 'notes.txt').dragTo(row(page, 'Plans'));
    await said(page, 'Moved “notes.txt” to “Plans”');
    await stored(ada, 'Plans/notes.txt', 'first');
    await page.keyboard.press('Control+z');
    await row(page, 'notes.txt').waitFor();

    await select(page, 'notes.txt');
    await page.getByRole('button', { name: 'Copy to …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Plans' }).click();
    await picture(page, 'choose-folder');
    await dialog.getByRole('button', { name: 'Copy here' }).click();
    await said(page, 'Copied “notes.txt” to “Plans”');
    await stored(ada, 'Plans/notes.txt', 'first');
    await page.keyboard.press('Control+z');
    await said(page, 'Undone');
    await stored(ada, 'Plans/notes.txt', undefined);

    await select(page, 'notes.txt');
    await select(page, 'notes (2).txt', ['Control']);
    await page.keyboard.press('Delete');
    await said(page, 'Moved 2 items to the trash');
    await picture(page, 'deleted');
    await stored(ada, 'notes.txt', undefined);
    await page.keyboard.press('Control+z');
    await row(page, 'notes.txt').waitFor();
    await stored(ada, 'notes (2).txt', 'second');
  });

  it('is usable by keys alone', async () => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('READ');
    await row(page, 'notes.txt').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await row(page, 'notes.txt').waitFor();
    await page.keyboard.press('Control+a');
    await page.getByText('4 selected').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('p');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();
    await page.keyboard.press('Backspace');
    await row(page, 'Read me.md').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('shows text, Markdown and pictures, and goes on to the next one', async () => {
    await page.goto('/app/files');
    await page.getByRole('link', { name: 'notes.txt' }).click();
    await page.getByRole('dialog', { name: 'Preview of notes.txt' }).getByText('first').waitFor();
    await page.keyboard.press('ArrowRight');
    const next = page.getByRole('dialog', { name: 'Preview of Read me.md' });
    await next.getByRole('heading', { name: 'Welcome' }).waitFor();
    await picture(page, 'markdown');
    assert.deepEqual(await obstaclesOn(page), []);
    await page.keyboard.press('Escape');
    await next.waitFor({ state: 'detached' });
  });

  it('shows earlier versions and restores them', async () => {
    await ada.put('notes.txt', 'third');
    await page.goto('/app/files');
    await select(page, 'notes.txt');
    await page.keyboard.press('i');
    const panel = page.getByRole('complementary', { name: 'Details' });
    await panel.getByRole('button', { name: /The version of/ }).first().click();
    await page.getByRole('menuitem', { name: 'Bring back' }).click();
    await said(page, /Restored the version/);
    await stored(ada, 'notes.txt', 'first');
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'details');
  });

  it('brings back what was deleted from the trash', async () => {
    await page.goto('/app/files');
    await select(page, 'Plans');
    await page.keyboard.press('Delete');
    await said(page, 'Moved “Plans” to the trash');
    await page.getByRole('navigation', { name: 'Main' }).getByText('Trash').click();
    await page.getByRole('listitem').filter({ hasText: 'Plans' }).first()
      .getByRole('button', { name: 'Restore' }).click();
    await said(page, 'Restored “Plans”');
    await picture(page, 'trash');
    await eventually(WAIT_MS, 'Plans is there', async () => (await ada.get('Plans')).status < 400);
    await page.getByRole('navigation', { name: 'Main' }).getByText('Files').click();
    await row(page, 'Plans').waitFor();
    await page.goto('/');
    await page.waitForURL(/\/app\/files$/);
  });

  it('counts a folder and makes its digest, to compare it with a copy', async () => {
    await page.goto('/app/files');
    await row(page, 'Plans').waitFor();
    await select(page, 'Plans');
    const panel = page.getByRole('complementary', { name: 'Details' });
    if (!await panel.isVisible()) await page.keyboard.press('i');
    await panel.getByRole('button', { name: 'Count and digest' }).click();
    await panel.getByText(/^hfd1-[0-9a-f]{64}$/).waitFor();
    await panel.getByRole('status').getByText('0 files, 0 folders, 0 B').waitFor();
    await picture(page, 'compare');
  });

  it('says that the server is away, and goes on by itself when it is back', async () => {
    await page.goto('/app/files');
    await row(page, 'notes.txt').waitFor();
    let tries = 0;
    await page.route(/\/children\/late\.txt\/content/, async (route) => {
      tries += 1;
      // As it answers while it starts: a request that comes too early is sent again.
      if (tries === 2) await route.fulfill({ status: 503, body: 'starting' });
      else await route.continue();
    });
    await server.kill();
    await upload(page, { 'late.txt': 'patient' });
    await page.getByText('The server cannot be reached.').first().waitFor();
    await page.getByText('Waits for the server').waitFor();
    await picture(page, 'away');
    await server.startAgain();
    await row(page, 'late.txt').waitFor();
    await page.getByText('The server cannot be reached.').first().waitFor({ state: 'detached' });
    await stored(ada, 'late.txt', 'patient');
    assert.ok(tries >= 3, `${tries} tries`);
  });

  it('goes on with a large upload after a reload, where it was', async () => {
    const content = randomBytes(20 * 1024 * 1024);
    const path = join(scratchFolder('large'), 'large.bin');
    writeFileSync(path, content);
    const offsets: number[] = [];
    let isCut = true;
    page.on('dialog', (dialog) => void dialog.accept());
    await page.route(/\/uploads\/./, async (route) => {
      const request = route.request();
      if (request.method() === 'PATCH') offsets.push(Number(request.headers()['upload-offset']));
      const isBehindFirst = offsets.length > 1 && isCut;
      await (isBehindFirst ? route.abort() : route.continue());
    });
    await page.getByLabel('Upload files').first().setInputFiles(path);
    await eventually(WAIT_MS, 'a second piece', () => offsets.length > 1);
    await page.reload();
    await page.getByText('Interrupted by a reload.').waitFor();
    await picture(page, 'interrupted');
    isCut = false;
    const before = offsets.length;
    await page.getByLabel('Choose file: large.bin').setInputFiles(path);
    await row(page, 'large.bin').waitFor();
    assert.ok((offsets[before] ?? 0) > 0, `it began again: ${offsets.join(' ')}`);
    await eventually(WAIT_MS, 'all of it is stored', async () => (
      (await ada.get('large.bin')).body.equals(content)));
  });

  it('has nothing in the way of anybody, in light, in dark and on a phone', async () => {
    await page.getByRole('button', { name: 'Close' }).first().click();
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'list');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('[data-mantine-color-scheme=dark]').waitFor();
    await page.getByText('Grid').locator('..').click();
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'grid-dark');
    const phone = await browsers.visit(server, PHONE);
    await signIn(phone.page, ada);
    await row(phone.page, 'notes.txt').waitFor();
    assert.deepEqual(await obstaclesOn(phone.page), []);
    await picture(phone.page, 'phone');
    const width = await phone.page.evaluate<number>('document.documentElement.scrollWidth');
    assert.equal(width, PHONE.viewport.width, 'nothing sticks out');
    assert.deepEqual([...visitor.complaints, ...phone.complaints], []);
  });

  it('takes less than 300 kB of script for its first view', async () => {
    const { page: fresh } = await browsers.visit(server);
    let scriptBytes = 0;
    fresh.on('response', (response) => {
      if (response.request().resourceType() !== 'script') return;
      scriptBytes += Number(response.headers()['content-length'] ?? Infinity);
    });
    await signIn(fresh, ada);
    await row(fresh, 'notes.txt').waitFor();
    assert.ok(scriptBytes > 100_000 && scriptBytes < 300_000, `${scriptBytes} bytes`);
  });

  it('scrolls through 100,000 entries with a handful of them in the page', async () => {
    const { page: large, complaints } = await browsers.visit(server, DESKTOP);
    await signIn(large, ada);
    let askedCount = 0;
    await large.route(/\/children\?/, async (route) => {
      const url = new URL(route.request().url());
      const from = Number(url.searchParams.get('cursor') ?? 0);
      // A cursor of ours means nothing to the server.
      url.searchParams.delete('cursor');
      const response = await route.fetch({ url: url.href });
      type Answer = { folder: object; items: object[] };
      const { folder, items: [, one] } = await response.json() as Answer;
      const items = Array.from({ length: 1000 }, (_, at) => {
        const name = `File ${String(from + at).padStart(6, '0')}.txt`;
        return { ...one, id: name, name, path: `/${name}` };
      });
      askedCount += 1;
      const next = from < 99_000 ? { nextCursor: String(from + 1000) } : {};
      await route.fulfill({ json: { folder, items, ...next } });
    });
    await large.reload();
    await row(large, 'File 000000.txt').waitFor();
    for (const wanted of [999, 1999, 2999]) {
      const last = row(large, `File ${String(wanted).padStart(6, '0')}.txt`);
      // It goes to the end of what is loaded, and more is loaded there.
      await eventually(WAIT_MS, `entry ${wanted}`, async () => {
        await large.keyboard.press('End');
        return await last.count() > 0;
      });
    }
    assert.ok(await large.getByRole('row').count() < 90);
    assert.ok(askedCount < 10, `${askedCount} pages for three screens`);
    assert.deepEqual(complaints, []);
  });
});
