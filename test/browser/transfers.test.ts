/** What people bring into the page and take out of it: drops, pastes, queues, downloads, media. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { seededBytes } from '../support/trees.ts';
import {
  WAIT_MS, browserForTests, buildPage, obstaclesOn, picture, signIn,
} from './browser-page.ts';
import { row, said, select, stored, upload } from './files-screen.ts';

/** Real files from the desktop, dropped by the browser itself: folders stay folders. */
async function drop(page: Page, files: readonly string[], name: string): Promise<void> {
  const box = await row(page, name).boundingBox();
  assert.ok(box !== null);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x, y, data });
  }
  await session.detach();
}

/** One second of a tone: 8,000 samples of 8 bits. */
function tone(): Buffer {
  const samples = Buffer.from(Array.from({ length: 8000 }, (_, at) =>
    128 + Math.round(60 * Math.sin(at / 3))));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

/** What the browser itself has filmed: a moment of a canvas that changes. */
const FILM = `new Promise((resolve) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 90 });
  const pen = canvas.getContext('2d');
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm' });
  const pieces = [];
  let frames = 0;
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  recorder.onstop = async () => {
    resolve(Array.from(new Uint8Array(await new Blob(pieces).arrayBuffer())));
  };
  recorder.start();
  const draw = () => {
    pen.fillStyle = 'hsl(' + frames * 7 + ' 80% 50%)';
    pen.fillRect(0, 0, 160, 90);
    frames += 1;
    if (frames > 25) recorder.stop();
    else setTimeout(draw, 40);
  };
  draw();
})`;

describe('what comes and goes in a browser', { timeout: 900_000 }, () => {
  const servers = serverForTests();
  const browsers = browserForTests();
  let server: TestServer;
  let ada: DavClient;
  let page: Page;
  let complaints: readonly string[];

  before(async () => {
    await buildPage();
    server = await servers.start();
    ada = await server.addUser();
    await ada.makeFolder('Inbox');
    await ada.put('notes.txt', 'as it was');
    ({ page, complaints } = await browsers.visit(server));
    await signIn(page, ada);
  });

  it('takes files and whole folders that are dropped onto a folder', async () => {
    const desk = scratchFolder('desk');
    mkdirSync(join(desk, 'Trip', 'Day 1'), { recursive: true });
    mkdirSync(join(desk, 'Trip', 'Nothing yet'));
    writeFileSync(join(desk, 'Trip', 'plan.txt'), 'first the sea');
    writeFileSync(join(desk, 'Trip', 'Day 1', 'tickets.txt'), 'two');
    writeFileSync(join(desk, 'loose.txt'), 'on its own');
    await drop(page, [join(desk, 'Trip'), join(desk, 'loose.txt')], 'Inbox');
    await stored(ada, 'Inbox/loose.txt', 'on its own');
    await stored(ada, 'Inbox/Trip/plan.txt', 'first the sea');
    await stored(ada, 'Inbox/Trip/Day 1/tickets.txt', 'two');
    await eventually(WAIT_MS, 'the empty folder is there too', async () => (
      (await ada.file('PROPFIND', 'Inbox/Trip/Nothing yet', { headers: { Depth: '0' } }))
        .status === 207));
  });

  it('takes files that are pasted', async () => {
    await page.evaluate(`(() => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File(['from elsewhere'], 'pasted.txt', { type: 'text/plain' }));
      dispatchEvent(new ClipboardEvent('paste', { clipboardData, cancelable: true }));
    })()`);
    await row(page, 'pasted.txt').waitFor();
    await stored(ada, 'pasted.txt', 'from elsewhere');
  });

  it('replaces or skips what is already there, for all of them at once', async () => {
    await upload(page, { 'notes.txt': 'replaced' });
    const dialog = page.getByRole('dialog', { name: /already there/ });
    await dialog.getByRole('button', { name: /Replace/ }).click();
    await stored(ada, 'notes.txt', 'replaced');
    await upload(page, { 'notes.txt': 'never', 'pasted.txt': 'never' });
    await dialog.getByRole('checkbox', { name: /Do the same for 1 more/ }).check();
    await dialog.getByRole('button', { name: /Skip/ }).click();
    await page.getByRole('region', { name: 'Uploads' }).getByText('Skipped').nth(1).waitFor();
    await stored(ada, 'notes.txt', 'replaced');
    await stored(ada, 'pasted.txt', 'from elsewhere');
  });

  it('pauses an upload and goes on with it, and forgets one that is cancelled', async () => {
    const content = seededBytes(12 * 1024 * 1024, 'paused');
    const path = join(scratchFolder('paused'), 'film.bin');
    writeFileSync(path, content);
    const session = await page.context().newCDPSession(page);
    const limit = (uploadThroughput: number) => session.send('Network.emulateNetworkConditions', {
      offline: false, latency: 0, downloadThroughput: -1, uploadThroughput,
    });
    await limit(512 * 1024);
    const tray = page.getByRole('region', { name: 'Uploads' });
    await page.getByLabel('Upload files').first().setInputFiles(path);
    await tray.getByRole('button', { name: 'Pause: film.bin' }).click();
    await tray.getByText('Paused', { exact: true }).waitFor();
    await picture(page, 'paused');
    assert.equal((await ada.get('film.bin')).status, 404);
    await limit(-1);
    await tray.getByRole('button', { name: 'Go on: film.bin' }).click();
    await eventually(WAIT_MS, 'all of it is stored', async () => (
      (await ada.get('film.bin')).body.equals(content)));
    await limit(256 * 1024);
    const [name, buffer] = ['unwanted.bin', content.subarray(1)];
    await page.getByLabel('Upload files').first().setInputFiles({
      name, buffer, mimeType: 'application/octet-stream',
    });
    await tray.getByRole('button', { name: 'Cancel upload: unwanted.bin' }).click();
    await limit(-1);
    await tray.getByText('unwanted.bin').waitFor({ state: 'detached' });
    assert.equal((await ada.get('unwanted.bin')).status, 404);
    await session.detach();
  });

  it('brings several files and folders as one zip', async () => {
    await page.goto('/app/files');
    await select(page, 'Inbox');
    const downloading = page.waitForEvent('download');
    await page.getByRole('main').getByRole('button', { name: 'Download' }).first().click();
    const download = await downloading;
    const path = join(scratchFolder('zip'), 'inbox.zip');
    await download.saveAs(path);
    assert.equal(download.suggestedFilename(), 'Inbox.zip');
    const listed = execFileSync('unzip', ['-t', path], { encoding: 'utf8' });
    assert.match(listed, /Day 1\/tickets\.txt\s+OK/);
    assert.match(listed, /No errors detected/);
  });

  it('plays sound and film, and goes to a place in them', async () => {
    await ada.put('tone.wav', tone());
    await ada.put('film.webm', Buffer.from(await page.evaluate<number[]>(FILM)));
    for (const [name, tag] of [['tone.wav', 'audio'], ['film.webm', 'video']] as const) {
      await page.goto('/app/files');
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('dialog', { name: `Preview of ${name}` }).locator(tag).waitFor();
      await eventually(WAIT_MS, `${name} can be played`, () => page.evaluate<boolean>(
        `document.querySelector('${tag}').readyState >= 2`));
      await page.evaluate(`document.querySelector('${tag}').currentTime = 0.5`);
      await eventually(WAIT_MS, `${name} is at its middle`, () => page.evaluate<boolean>(`(() => {
        const media = document.querySelector('${tag}');
        return !media.seeking && media.currentTime >= 0.4 && media.error === null;
      })()`));
      await picture(page, tag);
      await page.keyboard.press('Escape');
    }
    assert.deepEqual(complaints, []);
  });

  it('finds names in all folders', async () => {
    await page.goto('/app/files');
    await row(page, 'Inbox').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('tickets');
    await page.getByRole('link', { name: 'Search all folders' }).click();
    const found = page.getByRole('region', { name: 'What was found' });
    await found.getByRole('link', { name: 'Inbox/Trip/Day 1' }).waitFor();
    await found.getByText('1 found', { exact: true }).waitFor();
    assert.deepEqual(await obstaclesOn(page), []);
    await picture(page, 'search');
    await found.getByRole('link', { name: 'tickets.txt' }).click();
    await page.getByRole('dialog', { name: 'Preview of tickets.txt' }).getByText('two').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').fill('nowhere to be found');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Nothing has/ }).waitFor();
  });

  it('says what a file is that it cannot show', async () => {
    await page.goto('/app/files');
    await page.getByRole('link', { name: 'film.bin' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Download' }).first().waitFor();
    await page.keyboard.press('Escape');
    await select(page, 'notes.txt');
    await page.keyboard.press('Delete');
    await said(page, 'Moved “notes.txt” to the trash');
  });
});
