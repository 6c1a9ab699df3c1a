/** Sharing in the web page, and what visitors of a link see: two users and somebody without an
 *  account. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { run } from '../support/command.ts';
import type { DavClient } from '../support/dav-client.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import {
  DESKTOP, PHONE, browserForTests, buildPage, obstaclesOn, picture, signIn,
} from './browser-page.ts';
import type { Visitor } from './browser-page.ts';
import { row, said } from './files-screen.ts';

/** 16 by 16 points. */
const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mPgzssjCTGMahjVMHw1AABsv+cB12qa'
  + 'lwAAAABJRU5ErkJggg==', 'base64',
);

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
    const named = ['--display-name', 'The crew', '--data', server.data];
    assert.equal((await run(PROGRAM, ['group', 'add', 'crew', ...named])).code, 0);
    ada = await server.addUser({ args: ['--display-name', 'Ada Lovelace'] });
    ben = await server.addUser({ name: 'ben', args: ['--display-name', 'Ben Okri'] });
    await ada.file('MKCOL', 'Plans');
    await ada.file('MKCOL', 'Plans/Drafts');
    await ada.put('Plans/plan.txt', 'the plan');
    await ada.put('Plans/Drafts/first.md', '# First');
    await ada.put('Plans/dot.png', DOT);
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
    await dialog().getByText('Nobody was added here yet.').waitFor();
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
    await page.getByRole('combobox', { name: 'Add people' }).fill('cre');
    await page.getByRole('option', { name: /The crew/ }).click();
    await page.getByRole('button', { name: /may do: Can view/ }).first().click();
    await picture(page, 'share-roles');
    await page.getByRole('menuitem', { name: /Can add/ }).click();
    await page.getByRole('button', { name: 'Share with The crew' }).click();
    await rowOf('The crew').getByRole('button', { name: /may do: Can add/ }).waitFor();
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
    await guest.page.getByRole('navigation', { name: 'Folder' }).getByRole('link').click();
    await guest.page.getByRole('link', { name: 'dot.png', exact: true }).click();
    const isDrawn = 'document.querySelector("main img").naturalWidth === 16';
    await guest.page.waitForFunction(isDrawn);
    await guest.page.goBack();
    const [zip] = await Promise.all([
      guest.page.waitForEvent('download'),
      guest.page.getByRole('link', { name: 'Download all' }).click(),
    ]);
    assert.equal(zip.suggestedFilename(), 'Plans.zip');
    assert.deepEqual(guest.complaints, []);
  });

  it('takes files from a visitor, and says which have arrived', async () => {
    await dialog().getByRole('button', { name: 'Close' }).click();
    await dialog().waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Actions for Plans' }).click();
    await page.getByRole('menuitem', { name: /^Share/ }).click();
    await page.getByRole('button', { name: 'New link' }).click();
    await said(page, 'A new link is copied');
    const url = await page.evaluate<string>('navigator.clipboard.readText()');
    const made = rowOf('Public link');
    await made.getByLabel('Whoever has the link may').selectOption('drop');
    await made.getByRole('button', { name: 'Save' }).click();
    await made.locator('small').getByText('Only leave files').waitFor();
    const guest = await browsers.visit(server, PHONE);
    await guest.page.goto(url);
    await picture(guest.page, 'link-drop-phone');
    assert.deepEqual(await obstaclesOn(guest.page), []);
    await guest.page.getByLabel('Drop files here').setInputFiles([
      { name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('theirs') },
      { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(120_000) },
    ]);
    await guest.page.getByRole('button', { name: 'Upload' }).click();
    await guest.page.getByText('Thank you: 2 files have arrived').waitFor();
    await guest.page.getByText('photo.jpg').waitFor();
    await guest.page.emulateMedia({ colorScheme: 'dark' });
    await picture(guest.page, 'link-arrived-phone-dark');
    assert.deepEqual(await obstaclesOn(guest.page), []);
    assert.deepEqual(guest.complaints, []);
    assert.equal((await ada.get('Plans/plan (2).txt')).text, 'theirs');
    assert.equal((await ada.get('Plans/plan.txt')).text, 'the plan');
  });

  it('ends sharing with somebody, and takes that back', async () => {
    await rowOf('Ben Okri').getByRole('button', { name: 'Options of Ben Okri' }).click();
    await rowOf('Ben Okri').getByLabel('Ends after').fill('2034-02-03');
    await rowOf('Ben Okri').getByRole('button', { name: 'Save' }).click();
    await rowOf('Ben Okri').getByText('until Feb 3, 2034').waitFor();
    await rowOf('Ben Okri').getByRole('button', { name: 'End sharing with Ben Okri' }).click();
    await said(page, 'No longer shared with Ben Okri');
    await rowOf('Ben Okri').waitFor({ state: 'detached' });
    assert.equal((await ben.get('Plans/plan.txt')).status, 404);
    const messages = page.getByRole('status', { name: 'Messages' });
    await messages.getByRole('button', { name: 'Undo' }).last().click();
    await rowOf('Ben Okri').getByText('until Feb 3, 2034').waitFor();
    await rowOf('Ben Okri').getByRole('button', { name: /Can edit/ }).waitFor();
    assert.equal((await ben.get('Plans/plan.txt')).text, 'the plan');
  });

  it('says who can see something and why, and whose it is to whoever may not share', async () => {
    await page.goto('/app/files?in=/Plans/Drafts');
    await row(page, 'first.md').getByRole('gridcell').nth(2).click();
    await page.keyboard.press('s');
    const window = dialog('Share “first.md”');
    await window.getByRole('button', { name: 'Who can see this, and why' }).click();
    const his_ = rowOf('Ben Okri', window);
    await his_.getByText('Can edit').waitFor();
    await picture(page, 'share-why');
    assert.deepEqual(await obstaclesOn(page), []);
    await his_.getByRole('link', { name: 'Plans' }).click();
    await row(page, 'plan.txt').waitFor();
    await his.page.goto('/app/files?in=/Plans');
    await row(his.page, 'plan.txt').getByRole('gridcell').nth(2).click();
    await his.page.keyboard.press('s');
    await his.page.getByText('Ada Lovelace shares it with you.').waitFor();
    await picture(his.page, 'share-may-not');
    assert.deepEqual(await obstaclesOn(his.page), []);
  });

  it('sends a link by mail, and shows all that is shared and how it stands', async () => {
    await row(page, 'plan.txt').getByRole('gridcell').nth(2).click();
    await page.keyboard.press('s');
    await page.getByRole('combobox', { name: 'Add people' }).fill('press@example.org');
    await page.getByRole('option', { name: /Send a link by mail/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Share with press@example.org' }).click();
    await rowOf('press@example.org', dialog('Share “plan.txt”')).getByText('mail is on its way')
      .waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('navigation', { name: 'Main' }).getByText('Shared').click();
    await page.getByText('Nobody shares anything with you yet').waitFor();
    await page.route(/direction=by-me/, (route) => {
      const url = new URL(route.request().url());
      url.searchParams.set('limit', '3');
      return route.continue({ url: url.href });
    });
    await page.getByRole('tab', { name: 'By me' }).click();
    await page.getByRole('button', { name: 'Show more' }).click();
    const given = page.getByRole('list', { name: 'Shared by me' });
    await given.getByText('mail is on its way').waitFor();
    await given.getByText('password').waitFor();
    assert.equal(await given.getByRole('listitem').count(), 5);
    await picture(page, 'shared-by-me');
    assert.deepEqual(await obstaclesOn(page), []);
    const press = rowOf('Plans for the press', given);
    // Pages that came by plain HTTP from another machine have no clipboard of the browser's.
    await page.evaluate('Object.defineProperty(window, "isSecureContext", { value: false })');
    await press.getByRole('button', { name: /^Copy address/ }).click();
    await said(page, 'The address is copied');
    const url = await page.evaluate<string>('navigator.clipboard.readText()');
    await press.getByRole('button', { name: 'Change sharing of Plans' }).click();
    await dialog().getByText('until May 6, 2035').waitFor();
    await page.keyboard.press('Escape');
    await press.getByRole('button', { name: 'End Plans for the press' }).click();
    await page.getByRole('dialog', { name: 'End “Plans for the press”?' })
      .getByRole('button', { name: 'End the link' }).click();
    await press.waitFor({ state: 'detached' });
    const guest = await browsers.visit(server, { ...DESKTOP, colorScheme: 'dark' });
    await guest.page.goto(url);
    await guest.page.getByRole('heading', { name: 'This link leads nowhere' }).waitFor();
    await picture(guest.page, 'link-over-dark');
    assert.deepEqual(await obstaclesOn(guest.page), []);
  });

  it('lets whoever received something leave it', async () => {
    await his.page.goto('/app/shared');
    await his.page.getByRole('button', { name: 'Leave Plans' }).click();
    await his.page.getByRole('dialog').getByText('Ada Lovelace can share it with you again')
      .waitFor();
    await picture(his.page, 'shared-leave');
    await his.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
    await said(his.page, 'You have left “Plans”');
    await his.page.getByText('Nobody shares anything with you yet').waitFor();
    assert.equal((await ben.get('Plans/plan.txt')).status, 404);
    assert.equal((await ada.get('Plans/plan.txt')).text, 'the plan');
  });

  it('has nothing in the way of anybody, in dark and on a phone', async () => {
    await page.goto('/app/files');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.locator('[data-mantine-color-scheme=dark]').waitFor();
    await row(page, 'Plans').getByRole('gridcell').nth(2).click();
    await page.keyboard.press('i');
    const panel = page.getByRole('complementary', { name: 'Details' });
    await panel.getByRole('button', { name: 'Share …' }).click();
    await rowOf('Public link').getByRole('button', { name: /^Options of/ }).click();
    await picture(page, 'share-dark');
    assert.deepEqual(await obstaclesOn(page), []);
    const phone = await browsers.visit(server, PHONE);
    await signIn(phone.page, ada);
    await phone.page.goto('/app/shared?show=by-me');
    await phone.page.getByRole('list', { name: 'Shared by me' }).waitFor();
    await picture(phone.page, 'shared-phone');
    assert.deepEqual(await obstaclesOn(phone.page), []);
    await phone.page.getByRole('button', { name: 'Change sharing of Plans' }).first().click();
    await phone.page.getByRole('button', { name: /^Options of/ }).first().click();
    await picture(phone.page, 'share-phone');
    assert.deepEqual(await obstaclesOn(phone.page), []);
    const width = await phone.page.evaluate<number>('document.documentElement.scrollWidth');
    assert.equal(width, PHONE.viewport.width, 'nothing sticks out');
    const complaints = [...hers.complaints, ...his.complaints, ...phone.complaints];
    assert.deepEqual(complaints, []);
  });
});
