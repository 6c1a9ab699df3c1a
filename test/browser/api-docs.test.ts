/** The reference of the API, read and tried in a browser. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import type { DavClient } from '../support/dav-client.ts';
import {
  DESKTOP, PHONE, browserForTests, buildPage, obstaclesOn, picture, signIn,
} from './browser-page.ts';

const REFERENCE = '/api/docs';

function card(page: Page, id: string): Locator {
  return page.locator(`details#${id}`);
}

describe('the reference of the API in a browser', { timeout: 600_000 }, () => {
  const servers = serverForTests();
  const browsers = browserForTests();
  let server: TestServer;
  let ada: DavClient;

  before(async () => {
    await buildPage();
    server = await servers.start();
    ada = await server.addUser();
  });

  it('names every operation of the document, and finds those that are looked for', async () => {
    const { page, complaints } = await browsers.visit(server);
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url)) foreign.push(request.url());
    });
    await page.goto(REFERENCE);
    await page.getByText('Nobody is signed in here.').waitFor();
    const { paths } = await (await fetch(`${server.url}/api/v1/openapi.json`)).json() as {
      paths: Record<string, Record<string, unknown>>;
    };
    const count = Object.values(paths).flatMap((one) => Object.keys(one)).length;
    assert.equal(await page.locator('details.operation').count(), count);
    await picture(page, 'api-docs');
    await page.getByLabel('Find an operation').fill('put /versions');
    await page.getByText('No operation has these words.').waitFor();
    await page.getByLabel('Find an operation').fill('get /versions');
    await page.getByRole('link', { name: 'listVersions' }).click();
    await card(page, 'listVersions').getByText('Scope of a token: files:read.').waitFor();
    assert.equal(await page.locator('details.operation:visible').count(), 2);
    assert.match(await card(page, 'listVersions').locator('.curl').textContent() ?? '',
      /curl 'http:.*\/nodes\/\{id\}\/versions'/);
    assert.deepEqual([foreign, complaints], [[], []]);
  });

  it('sends requests as whoever is signed in, and shows what is answered', async () => {
    const { page, complaints } = await browsers.visit(server);
    await signIn(page, ada);
    await page.goto(`${REFERENCE}#makeFolder`);
    await page.getByText('Requests are sent as ada.').waitFor();
    const session = await page.evaluate(async () =>
      (await fetch('/api/v1/session')).json() as Promise<{ root: { id: string } }>);
    const form = card(page, 'makeFolder');
    await form.getByLabel('id', { exact: false }).first().fill(session.root.id);
    await form.getByLabel('Body').fill('{"kind": "folder", "name": "by hand"}');
    assert.match(await form.locator('.curl').textContent() ?? '', /-X POST .*by hand/s);
    await form.getByRole('button', { name: 'Send' }).click();
    await form.getByText('201 Created').waitFor();
    await picture(page, 'api-docs-tried');
    assert.deepEqual(await obstaclesOn(page), []);
    assert.deepEqual((await ada.list()).map(({ path }) => path), ['by hand']);
    await form.getByRole('button', { name: 'Send' }).click();
    await form.getByText('409 Conflict').waitFor();
    await page.goto(`${REFERENCE}#streamChanges`);
    await page.reload();
    const stream = card(page, 'streamChanges');
    await stream.getByRole('button', { name: 'Send' }).click();
    await stream.getByText('event: reset').waitFor();
    await stream.getByRole('button', { name: 'Stop' }).click();
    await stream.getByText('Stopped.').waitFor();
    assert.deepEqual(complaints, []);
  });

  it('can be read in the dark, on a phone, and with help', async () => {
    const dark = await browsers.visit(server, { ...DESKTOP, colorScheme: 'dark' });
    await dark.page.goto(`${REFERENCE}#shareNode`);
    await dark.page.getByText('Nobody is signed in here.').waitFor();
    await card(dark.page, 'shareNode').getByText('Shape and example').first().click();
    assert.deepEqual(await obstaclesOn(dark.page), []);
    await picture(dark.page, 'api-docs-dark');
    const phone = await browsers.visit(server, PHONE);
    await phone.page.goto(`${REFERENCE}#changeNode`);
    await phone.page.getByText('Nobody is signed in here.').waitFor();
    assert.deepEqual(await obstaclesOn(phone.page), []);
    await picture(phone.page, 'api-docs-phone');
    const width = await phone.page.evaluate<number>('document.documentElement.scrollWidth');
    assert.equal(width, PHONE.viewport.width, 'nothing is wider than the phone');
  });
});
