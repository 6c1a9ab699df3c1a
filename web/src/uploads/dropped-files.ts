/** The files of a drop or of a chosen folder, with the folders that they lie in. */

export interface IncomingFile {
  readonly file: File;
  /** `` or `a/b`. */
  readonly folders: string;
}

export interface Incoming {
  readonly files: readonly IncomingFile[];
  /** Folders with nothing in them, which are made as well. */
  readonly emptyFolders: readonly string[];
}

export const FILES_MAX = 20_000;

export function incomingOf(list: Iterable<File>): Incoming {
  const files = [...list].map((file): IncomingFile => {
    const path = file.webkitRelativePath;
    return { file, folders: path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '' };
  });
  return { files, emptyFolders: [] };
}

/** The browser empties a drop once its event is over: what is needed is taken from it at once. */
export function incomingOfDrop(drop: DataTransfer): Promise<Incoming> {
  const entries = [...drop.items].filter(({ kind }) => kind === 'file')
    .map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  return walkAll(entries.filter((entry) => entry !== null));
}

async function walkAll(roots: readonly (FileSystemEntry | File)[]): Promise<Incoming> {
  const files: IncomingFile[] = [];
  const emptyFolders: string[] = [];
  const waiting: { entry: FileSystemEntry | File; folders: string }[] = [];
  for (const entry of roots) waiting.push({ entry, folders: '' });
  // One file more than allowed is enough to know that there are too many.
  for (let next = waiting.pop(); next && files.length <= FILES_MAX; next = waiting.pop()) {
    const { entry, folders } = next;
    if (entry instanceof File) files.push({ file: entry, folders });
    else if (isFile(entry)) files.push({ file: await fileOf(entry), folders });
    else if (isFolder(entry)) {
      const below = folders === '' ? entry.name : `${folders}/${entry.name}`;
      const children = await childrenOf(entry);
      if (children.length === 0) emptyFolders.push(below);
      for (const child of children.toReversed()) waiting.push({ entry: child, folders: below });
    }
  }
  return { files, emptyFolders };
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => {
    entry.file(resolve, reject);
  });
}

async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const children: FileSystemEntry[] = [];
  while (children.length <= FILES_MAX) {
    // It hands out some at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) break;
    children.push(...some);
  }
  return children;
}
