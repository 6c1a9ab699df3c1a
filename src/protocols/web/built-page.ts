/**
 * The built web page, read once: whatever is built anew meanwhile, browsers of this run get files
 * that belong together.
 */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';

/** A build has some dozens of files and a megabyte or two. */
const FILES_MAX = 1_000;
const SIZE_BYTES_MAX = 64 * 1024 * 1024;
const START_FILE = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8', '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml', '.png': 'image/png', '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};

/** In the order of preference. */
export const ENCODINGS = [['br', '.br'], ['gzip', '.gz']] as const;
export type Encoding = (typeof ENCODINGS)[number][0];

export interface PageFile {
  readonly mediaType: string;
  /** Quoted, of the content without encoding. */
  readonly etag: string;
  readonly bytes: Buffer;
  readonly encoded: Readonly<Partial<Record<Encoding, Buffer>>>;
  /** Its name changes with its content, so it may be kept for good. */
  readonly isImmutable: boolean;
}

export class BuiltPage {
  /** By path below /app/: `assets/index-1a2b3c4d.js`. */
  readonly files: ReadonlyMap<string, PageFile>;
  readonly start: PageFile;

  private constructor(files: ReadonlyMap<string, PageFile>, start: PageFile) {
    this.files = files;
    this.start = start;
  }

  /** As `open`, and undefined where what was built cannot be read: files are served without it. */
  static async openIfWhole(
    folder: string, onTrouble: (error: unknown) => void,
  ): Promise<BuiltPage | undefined> {
    try {
      return await BuiltPage.open(folder);
    } catch (error) {
      onTrouble(error);
      return undefined;
    }
  }

  /** undefined when nothing has been built. @throws too-large: that is no page of ours. */
  static async open(folder: string): Promise<BuiltPage | undefined> {
    const paths = await pathsIn(folder);
    const contents = new Map<string, Buffer>();
    let sizeBytes = 0;
    for (const path of paths) {
      const bytes = await readFile(join(folder, path));
      sizeBytes += bytes.length;
      if (sizeBytes > SIZE_BYTES_MAX) throw tooLarge();
      contents.set(path, bytes);
    }
    const files = new Map<string, PageFile>();
    for (const [path, bytes] of contents) {
      const mediaType = TYPES[extname(path)];
      if (mediaType !== undefined) files.set(path, fileOf({ path, bytes, mediaType }, contents));
    }
    const start = files.get(START_FILE);
    return start === undefined ? undefined : new BuiltPage(files, start);
  }
}

async function pathsIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    if (files.length > FILES_MAX) throw tooLarge();
    return files.map(({ parentPath, name }) => {
      return relative(folder, join(parentPath, name)).replaceAll('\\', '/');
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function fileOf(
  { path, bytes, mediaType }: { path: string; bytes: Buffer; mediaType: string },
  contents: ReadonlyMap<string, Buffer>,
): PageFile {
  const encoded: Partial<Record<Encoding, Buffer>> = {};
  for (const [encoding, ending] of ENCODINGS) {
    const packed = contents.get(`${path}${ending}`);
    if (packed !== undefined && packed.length < bytes.length) encoded[encoding] = packed;
  }
  const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  return {
    mediaType, etag: `"${digest}"`, bytes, encoded,
    isImmutable: path.startsWith('assets/'),
  };
}

function tooLarge(): HoldfastError {
  const message = 'The folder of the built web page holds far more than a page. Remove web/dist '
    + 'and start again with npm start.';
  return new HoldfastError('too-large', 'protocols/BuiltPage.open', message);
}
