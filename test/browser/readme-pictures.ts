/**
 * Makes the pictures of the README: `npm run pictures`. A real server, a household's files that are
 * made up here, Debian's Chromium.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';
import { REPOSITORY, TestServer } from '../support/server.ts';
import { seededBytes } from '../support/trees.ts';
import { DESKTOP, buildPage, launchBrowser, signIn } from './browser-page.ts';

const PICTURES = join(REPOSITORY, 'docs', 'pictures');
/** As sharp as on a good screen. */
const SHARP = { ...DESKTOP, viewport: { width: 1200, height: 720 }, deviceScaleFactor: 1.5 };

/** A landscape of hills below a sky, painted by the browser: [hue of the sky, hue of the hills]. */
const LANDSCAPES: Readonly<Record<string, readonly [number, number]>> = {
  'Above the lake.jpg': [205, 150], 'Evening.jpg': [18, 265], 'First snow.jpg': [215, 205],
  'Harbour.jpg': [195, 215], 'Morning fog.jpg': [40, 95], 'The pass.jpg': [200, 120],
};

function painting([sky, hills]: readonly [number, number]): string {
  return `new Promise((resolve) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 960, height: 640 });
    const pen = canvas.getContext('2d');
    const air = pen.createLinearGradient(0, 0, 0, 640);
    air.addColorStop(0, 'hsl(${sky} 70% 62%)');
    air.addColorStop(1, 'hsl(${sky} 75% 90%)');
    pen.fillStyle = air;
    pen.fillRect(0, 0, 960, 640);
    pen.fillStyle = 'hsl(48 90% 92%)';
    pen.beginPath();
    pen.arc(${120 + (sky * 7) % 700}, 150, 46, 0, 7);
    pen.fill();
    for (let row = 0; row < 5; row += 1) {
      pen.fillStyle = 'hsl(${hills} 38% ' + (66 - row * 11) + '%)';
      pen.beginPath();
      pen.moveTo(0, 640);
      for (let x = 0; x <= 960; x += 6) {
        const wave = Math.sin(x / (150 - row * 17) + row * 2 + ${hills}) * (58 - row * 6)
          + Math.sin(x / 47 + row) * 10;
        pen.lineTo(x, 300 + row * 74 + wave);
      }
      pen.lineTo(960, 640);
      pen.fill();
    }
    canvas.toBlob(async (blob) => {
      resolve(Array.from(new Uint8Array(await blob.arrayBuffer())));
    }, 'image/jpeg', 0.9);
  })`;
}

async function fill(user: DavClient, page: Page): Promise<void> {
  for (const folder of ['Photos', 'Photos/Mountains', 'House', 'Music', 'School']) {
    await user.makeFolder(folder);
  }
  const files: Record<string, string | Buffer> = {
    'Recipes.md': '# Bread\n\n500 g flour, 350 g water, 10 g salt, time.\n',
    'Budget 2026.csv': 'month,rent,food\nJanuary,900,410\nFebruary,900,395\n',
    'House/Insurance.pdf': seededBytes(420_000, 'insurance'),
    'House/Floor plan.pdf': seededBytes(1_900_000, 'plan'),
    'Music/Rehearsal.mp3': seededBytes(3_100_000, 'music'),
    'School/Essay.odt': seededBytes(61_000, 'essay'),
    'Film of the garden.mp4': seededBytes(5_300_000, 'film'),
  };
  for (const [name, colours] of Object.entries(LANDSCAPES)) {
    files[`Photos/Mountains/${name}`] =
      Buffer.from(await page.evaluate<number[]>(painting(colours)));
  }
  for (const [path, content] of Object.entries(files)) {
    const { status } = await user.put(path, content);
    if (status !== 201) throw new Error(`${path}: ${status}`);
  }
}

async function take(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, name), animations: 'disabled' });
}

async function visit(browser: Browser, server: TestServer, user: DavClient): Promise<Page> {
  const context = await browser.newContext({ baseURL: server.url, ...SHARP });
  const page = await context.newPage();
  await signIn(page, user);
  return page;
}

await buildPage();
const server = await TestServer.start({ env: {
  HOLDFAST_STORAGE_MIRROR_BACKEND: 'local',
  HOLDFAST_STORAGE_MIRROR_LOCAL_FOLDER: join(scratchFolder('mirror'), 'second'),
} });
const browser = await launchBrowser();
try {
  const user = await server.addUser({ name: 'ada' });
  const page = await visit(browser, server, user);
  await fill(user, page);
  await page.goto('/app/files?in=/Photos/Mountains');
  await page.getByRole('link', { name: 'Harbour.jpg' }).waitFor();
  await page.getByText('Grid').locator('..').click();
  await page.waitForFunction('[...document.images].every(({ complete }) => complete)');
  await take(page, 'files.png');
  await server.restart(); // What was stored is read back when a server starts.
  await page.emulateMedia({ colorScheme: 'dark' });
  await eventually(120_000, 'every byte is read back', async () => {
    await page.goto('/app/safety');
    await page.getByText('Copies of each').waitFor();
    return await page.getByText('Every byte, since then').isVisible();
  });
  await take(page, 'safety.png');
} finally {
  await browser.close();
  await server.stop();
}
