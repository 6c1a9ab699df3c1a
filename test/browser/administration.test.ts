/** Administration and "Is my data safe?" in the web page, as those who run a server use them. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import type { DavClient } from '../support/dav-client.ts';
import { run } from '../support/command.ts';
import { scratchFolder } from '../support/scratch.ts';
import { PROGRAM, serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import {
  DESKTOP, PHONE, browserForTests, buildPage, obstaclesOn, picture, signIn,
} from './browser-page.ts';
import { said } from './files-screen.ts';

const MIA = { name: 'mia', password: 'a good long one 7' };

function dialog(page: Page, name: string | RegExp): Locator {
  return page.getByRole('dialog', { name });
}

function rowOf(page: Page, text: string): Locator {
  return page.getByRole('row').filter({ hasText: text });
}

async function openTab(page: Page, label: string): Promise<void> {
  const tabs = page.getByRole('navigation', { name: 'Administration' });
  await tabs.getByRole('link', { name: label, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: label, exact: true }).waitFor();
}

describe('administration in a browser', { timeout: 900_000 }, () => {
  const servers = serverForTests();
  const browsers = browserForTests();
  let server: TestServer;
  let root: DavClient;
  let page: Page;
  const complaints: string[] = [];

  before(async () => {
    await buildPage();
    server = await servers.start({ env: { HOLDFAST_WEBHOOKS_ALLOW_PRIVATE: 'true' } });
    root = await server.addUser({ name: 'root', args: ['--admin'] });
    await server.addUser({ name: 'ben' });
    await root.file('MKCOL', 'Plans');
    await root.put('Plans/tower.txt', 'one hundred storeys');
    const visitor = await browsers.visit(server);
    page = visitor.page;
    await signIn(page, root);
  });

  it('shows at a glance how the server is, and where to go on', async () => {
    await page.getByRole('navigation', { name: 'Main' })
      .getByRole('link', { name: 'Administration' }).click();
    await page.getByText('There is one copy of everything').waitFor();
    await page.getByRole('definition').filter({ hasText: /^Running/ }).waitFor();
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'admin-overview');
    await page.getByRole('link', { name: 'To the storage' }).click();
    await page.getByRole('heading', { level: 1, name: 'Storage' }).waitFor();
  });

  it('adds a user, who then signs in, and keeps an account', async () => {
    await openTab(page, 'Users');
    await page.getByRole('button', { name: 'Add user' }).click();
    const form = dialog(page, 'Add user');
    await form.getByLabel('User name').fill(MIA.name);
    await form.getByLabel('Name that others see').fill('Mia Marsh');
    await form.getByLabel('Password').fill(MIA.password);
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'admin-user-add');
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await said(page, 'Mia Marsh can sign in now');

    await page.getByLabel('Search name, id or mail').fill('marsh');
    await rowOf(page, 'Mia Marsh').waitFor();
    await page.getByRole('row').filter({ hasText: 'ben' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Mia Marsh' }).click();
    await dialog(page, 'Mia Marsh').getByRole('button', { name: 'Quota' }).click();
    const quota = dialog(page, 'Quota of Mia Marsh');
    await quota.getByLabel('At most').fill('2');
    await quota.getByRole('button', { name: 'Save' }).click();
    await said(page, 'Quota of Mia Marsh saved');
    await dialog(page, 'Mia Marsh').getByText('0 B of 2 GB').first().waitFor();
    await picture(page, 'admin-user');
    await page.keyboard.press('Escape');

    const other = await browsers.visit(server);
    await signIn(other.page, MIA);
    await other.page.getByRole('heading', { name: 'This folder is empty' }).waitFor();
    await other.page.context().close();
  });

  it('hands files over by a plan, with what there was before and after', async () => {
    await page.getByLabel('Search name, id or mail').fill('');
    await page.getByRole('button', { name: 'root', exact: true }).click();
    await dialog(page, 'root').getByRole('button', { name: 'Hand files over' }).click();
    const form = dialog(page, 'Hand over the files of root');
    await form.getByLabel('Receiver (user name)').fill('mia');
    await form.getByRole('button', { name: 'Make a plan' }).click();
    await form.getByText('1 file in 1 folder, 19 B').waitFor();
    await picture(page, 'admin-transfer-plan');
    await form.getByRole('button', { name: 'Hand over now' }).click();
    await form.getByText(/Nothing differs/).waitFor();
    await picture(page, 'admin-transfer-report');
    await form.getByRole('button', { name: 'Done' }).click();
    await page.keyboard.press('Escape');
    const mia = server.client(MIA.name, MIA.password);
    assert.equal((await mia.get('Files of root/Plans/tower.txt')).text, 'one hundred storeys');
  });

  it('makes a group and a team folder, and says who is in them', async () => {
    await openTab(page, 'Groups');
    await page.getByRole('heading', { name: 'No groups yet' }).waitFor();
    await page.getByRole('button', { name: 'Add group' }).click();
    const group = dialog(page, 'Add group');
    await group.getByLabel('Short name').fill('crew');
    await group.getByRole('button', { name: 'Add', exact: true }).click();
    await rowOf(page, 'crew').getByRole('button', { name: 'Members' }).click();
    const members = dialog(page, /Members of/);
    await members.getByLabel('Add somebody').fill('ben');
    await members.getByRole('button', { name: 'Add', exact: true }).click();
    await members.getByRole('listitem').filter({ hasText: 'ben' }).waitFor();
    await page.keyboard.press('Escape');

    await openTab(page, 'Team folders');
    await page.getByRole('button', { name: 'Add team folder' }).click();
    const space = dialog(page, 'Add team folder');
    await space.getByLabel('Name of the folder').fill('Choir');
    await space.getByRole('button', { name: 'Add', exact: true }).click();
    await said(page, 'Team folder Choir added');
    await page.getByRole('button', { name: 'Choir', exact: true }).click();
    const team = dialog(page, 'Choir');
    await team.getByLabel('User or group', { exact: true }).selectOption('group');
    await team.getByLabel('Add somebody').fill('crew');
    await team.getByRole('button', { name: 'Add', exact: true }).click();
    await team.getByRole('listitem').filter({ hasText: 'crew' }).waitFor();
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'admin-space');
    await page.keyboard.press('Escape');
    const ben = server.client('ben', 'correct-horse-battery');
    assert.equal((await ben.put('Choir/song.txt', 'la')).status, 201);
  });

  it('shows disks, copies and garbage, and has it collected', async () => {
    await openTab(page, 'Storage');
    await page.getByText('Everything lies on one disk').waitFor();
    await page.getByRole('button', { name: 'Collect now' }).click();
    await said(page, 'Garbage is being collected');
    const card = page.getByRole('region', { name: 'Garbage collection' });
    await card.getByText('Not needed at that time').waitFor();
    await picture(page, 'admin-storage');
  });

  it('draws plots, and shows the same as a table', async () => {
    await openTab(page, 'Health');
    await page.locator('canvas').nth(4).waitFor();
    await page.getByRole('img', { name: /Requests a second. Newest: Requests [0-9]/ }).waitFor();
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'admin-health');
    const card = page.getByRole('region', { name: 'Requests a second' });
    await card.getByText('Table', { exact: true }).click();
    await card.getByRole('columnheader', { name: 'Failed' }).waitFor();
    assert.ok(await card.getByRole('row').count() >= 2);
  });

  it('filters the audit log', async () => {
    await openTab(page, 'Audit log');
    await page.getByLabel('What was done').selectOption('user-added');
    await rowOf(page, 'mia').waitFor();
    await page.getByRole('table').getByText('Team folder added').waitFor({ state: 'detached' });
    await page.getByLabel('User', { exact: true }).fill('nobody');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
    await page.getByRole('button', { name: 'Clear filter' }).click();
    await rowOf(page, 'Team folder added').waitFor();
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'admin-audit');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    assert.equal((await download).suggestedFilename(), 'audit.csv');
  });

  it('adds a webhook, and goes through all that is left', async () => {
    await openTab(page, 'Webhooks');
    await page.getByRole('button', { name: 'Add webhook' }).click();
    const form = dialog(page, 'Add webhook');
    await form.getByLabel('Address').fill('http://127.0.0.1:9/in');
    await form.getByLabel('Name').fill('Builder');
    await form.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('region', { name: 'Builder' }).waitFor();
    await picture(page, 'admin-webhooks');
    for (const label of ['Verifiers', 'Jobs', 'Retention', 'Locks', 'Tenants', 'Settings']) {
      await openTab(page, label);
      await page.getByRole('status', { name: 'Loading' }).waitFor({ state: 'detached' });
      assert.deepEqual(await obstaclesOn(page), [], label);
      assert.equal(await page.getByRole('alert').count(), 0, label);
      await picture(page, `admin-${label.toLowerCase()}`);
    }
    await page.getByLabel('Search settings').fill('listen');
    await rowOf(page, 'server.listen').first().waitFor();
  });

  it('says honestly whether data is safe, in light, in dark and on a phone', async () => {
    await page.getByRole('link', { name: 'Safety' }).click();
    await page.getByRole('heading', { name: 'Something needs attention.' }).waitFor();
    await page.getByText('There is one copy of everything: if its disk breaks').waitFor();
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'safety');
    for (const [name, options] of [
      ['dark', { ...DESKTOP, colorScheme: 'dark' as const }], ['phone', PHONE],
    ] as const) {
      const other = await browsers.visit(server, options);
      await signIn(other.page, root);
      for (const part of ['safety', 'admin', 'admin/users', 'admin/health']) {
        await other.page.goto(`/app/${part}`);
        await other.page.getByRole('heading', { level: 1 }).waitFor();
        if (part === 'admin/health') await other.page.locator('canvas').nth(4).waitFor();
        if (part === 'admin/users') await rowOf(other.page, 'Mia Marsh').waitFor();
        assert.deepEqual(await obstaclesOn(other.page), [], `${name} ${part}`);
        await picture(other.page, `${part.replace('/', '-')}-${name}`);
      }
      complaints.push(...other.complaints);
      await other.page.context().close();
    }
  });

  it('lists disks, and shows what emptying one would mean before it is done', async () => {
    const added = await run(PROGRAM, [
      'disk', 'add', scratchFolder('second-disk'), '--yes', '--data', server.data,
    ]);
    assert.equal(added.code, 0, added.stdout + added.stderr);
    await page.goto('/app/admin/storage'); // It would see the disk by itself, a little later.
    const disks = page.getByRole('list', { name: 'Disks' });
    await disks.getByRole('listitem').nth(1).waitFor();
    await disks.getByRole('listitem').first().getByRole('button', { name: /^Empty/ }).click();
    const plan = dialog(page, /^Empty/);
    await plan.getByRole('alert').waitFor();
    assert.ok(await plan.getByRole('button', { name: 'Empty', exact: true }).isDisabled());
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'admin-disk-plan');
    await page.keyboard.press('Escape');
  });

  it('gives nothing of it to others, and to administrators of a tenant theirs alone', async () => {
    const other = await browsers.visit(server);
    await signIn(other.page, MIA);
    const links = other.page.getByRole('navigation', { name: 'Main' }).getByRole('link');
    await links.filter({ hasText: 'Safety' }).click();
    await other.page.getByRole('list', { name: 'Statements' }).waitFor();
    assert.equal(await links.filter({ hasText: 'Administration' }).count(), 0);
    await other.page.goto('/app/admin/users');
    await other.page.getByRole('heading', { name: 'This is for administrators' }).waitFor();
    assert.equal((await run(PROGRAM, ['tenant', 'add', 'acme', '--data', server.data])).code, 0);
    const dora = await server.addUser({
      name: 'dora', args: ['--admin', '--tenant', 'acme'],
    });
    const tenant = await browsers.visit(server);
    await signIn(tenant.page, dora);
    await tenant.page.goto('/app/admin/storage');
    await tenant.page.getByRole('region', { name: 'Garbage collection' }).waitFor();
    assert.equal(await tenant.page.getByRole('alert').count(), 0);
    const tabs = tenant.page.getByRole('navigation', { name: 'Administration' });
    assert.equal(await tabs.getByRole('link', { name: 'Health' }).count(), 0);
    const { storedBytes } = await tenant.page.request.get('/api/v1/storage')
      .then((answer) => answer.json()) as { storedBytes: number };
    assert.equal(storedBytes, 0, 'nothing is told of what others have stored');
    for (const path of ['users', 'spaces', 'disks', 'audit', 'series', 'configuration']) {
      const { status } = await other.page.request.get(`/api/v1/${path}`)
        .then((answer) => ({ status: answer.status() }));
      assert.equal(status, 403, path);
    }
    complaints.push(...other.complaints);
    assert.deepEqual(complaints, []);
  });
});
