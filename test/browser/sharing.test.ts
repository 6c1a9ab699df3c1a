/** Sharing in the web page, and what visitors of a link see: two users and somebody without an
 *  account. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import type { DavClient } from '../support/dav-client.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import {
  DESKTOP, browserForTests, buildPage, obstaclesOn, picture, signIn,
} from './browser-page.ts';
import type { Visitor } from './browser-page.ts';

function row(page: Page, name: string): Locator {
  const link = page.getByRole('link', { name, exact: true });
  return page.getByRole('row').filter({ has: link });
}

function said(page: Page, words: string | RegExp): Promise<void> {
  return page.getByRole('status', { name: 'Messages' }).getByText(words).first().waitFor();
}

describe('sharing in a browser', { timeout: 900_000 }, () => {
  const servers = serverForTests();
  const browsers = browserForTests();
  let server: TestServer;
  let ada: DavClient;
  let ben: DavClient;
  let hers: Visitor;
  let his: Visitor;
  let page: Page;

  before(async () => {
    await buildPage();
    server = await servers.start({
      env: {
        HOLDFAST_MAIL_SERVER: '127.0.0.1:1', HOLDFAST_MAIL_FROM: 'cloud@example.org',
        HOLDFAST_MAIL_PUBLIC_URL: 'https://cloud.example',
      },
    });
    ada = await server.addUser({ args: ['--display-name', 'Ada Lovelace'] });
    ben = await server.addUser({ name: 'ben', args: ['--display-name', 'Ben Okri'] });
    await ada.file('MKCOL', 'Plans');
    await ada.file('MKCOL', 'Plans/Drafts');
    await ada.put('Plans/plan.txt', 'the plan');
    await ada.put('Plans/Drafts/first.md', '# First');
    hers = await browsers.visit(server, {
      ...DESKTOP, permissions: ['clipboard-read', 'clipboard-write'],
    });
    his = await browsers.visit(server);
    page = hers.page;
    await signIn(page, ada);
    await signIn(his.page, ben);
  });

  const dialog = (name = 'Share “Plans”'): Locator => page.getByRole('dialog', { name });

  const rowOf = (name: string, within: Locator = dialog()): Locator =>
    within.getByRole('listitem').filter({ hasText: name });

  it('shares with somebody who is found by name, with keys alone', async () => {
    await row(page, 'Plans').getByRole('gridcell').nth(2).click();
    await page.keyboard.press('s');
    await dialog().getByText('Nobody else yet.').waitFor();
    await page.getByRole('combobox', { name: 'Add people' }).fill('ok');
    await page.getByRole('option', { name: /Ben Okri/ }).waitFor();
    await picture(page, 'share-search');
    assert.deepEqual(await obstaclesOn(page), []);
    await page.keyboard.press('Enter');
    await page.getByLabel('A few words to them').fill('Have a look');
    await picture(page, 'share-add');
    await page.getByRole('button', { name: 'Share with Ben Okri' }).press('Enter');
    await said(page, 'Shared with Ben Okri');
    await rowOf('Ben Okri').getByText('Have a look').waitFor();
    await page.keyboard.press('Escape');
    await row(page, 'Plans').getByRole('img', { name: 'Shared' }).waitFor();
  });

  it('shows it to whoever has it, and what they may do as soon as that changes', async () => {
    const { page: his_ } = his;
    await his_.getByRole('navigation', { name: 'Main' }).getByText('Shared').click();
    const received = his_.getByRole('list', { name: 'Shared with me' }).getByRole('listitem');
    await received.getByText('From Ada Lovelace').waitFor();
    await received.getByText('Can view').waitFor();
    assert.deepEqual(await obstaclesOn(his_), []);
    await picture(his_, 'shared-with-me');
    assert.equal((await ben.put('Plans/mine.txt', 'x')).status, 403);
    await page.keyboard.press('s');
    await rowOf('Ben Okri').getByRole('button', { name: /may do: Can view/ }).click();
    await page.getByRole('menuitem', { name: /Can edit/ }).click();
    await said(page, 'Ben Okri: Can edit');
    await rowOf('Ben Okri').getByRole('button', { name: /may do: Can edit/ }).waitFor();
    await his_.reload();
    await received.getByText('Can edit').waitFor();
    assert.equal((await ben.put('Plans/mine.txt', 'x')).status, 201);
  });

  it('makes a link with a password and an end, which a visitor opens by it alone', async () => {
    await page.getByRole('button', { name: 'New link' }).click();
    await said(page, 'A new link is copied');
    const url = await page.evaluate<string>('navigator.clipboard.readText()');
    assert.match(url, /\/s\/[A-Za-z0-9]{20}$/);
    const linkRow = dialog().getByRole('list').last().getByRole('listitem');
    await linkRow.getByLabel('Ask for a password').check({ force: true });
    await linkRow.getByRole('textbox', { name: 'Password', exact: true }).fill('open sesame');
    await linkRow.getByLabel('Ends after').fill('2035-05-06');
    await linkRow.getByLabel('Name of the link').fill('Plans for the press');
    await linkRow.getByLabel('A few words to whoever').fill('Not before Monday, please.');
    await picture(page, 'share-link-options');
    assert.deepEqual(await obstaclesOn(page), []);
    await linkRow.getByRole('button', { name: 'Save' }).click();
    await linkRow.getByText('until May 6, 2035').waitFor();
    await picture(page, 'share-both');
    const guest = await browsers.visit(server);
    await guest.page.goto(url);
    await guest.page.getByRole('heading', { name: 'This link is protected' }).waitFor();
    await picture(guest.page, 'link-password');
    assert.deepEqual(await obstaclesOn(guest.page), []);
    await guest.page.getByLabel('Password').fill('wrong');
    await guest.page.getByRole('button', { name: 'Open' }).click();
    await guest.page.getByText('That is not the password.').waitFor();
    await guest.page.getByLabel('Password').fill('open sesame');
    await guest.page.getByRole('button', { name: 'Open' }).click();
    await guest.page.getByRole('heading', { name: 'Plans for the press' }).waitFor();
    await picture(guest.page, 'link-folder');
    assert.deepEqual(await obstaclesOn(guest.page), []);
    await guest.page.getByRole('link', { name: 'plan.txt', exact: true }).click();
    await guest.page.getByText('the plan').waitFor();
    await picture(guest.page, 'link-text');
    assert.deepEqual(await obstaclesOn(guest.page), []);
    assert.deepEqual(guest.complaints, []);
  });
});
