/** What a node is for people: its drawing, its colour, and how it can be shown. */
import type { FileNode } from '../api/shapes.ts';
import type { IconName } from './icons.tsx';

export type KindColour =
  | 'folder' | 'image' | 'media' | 'document' | 'archive' | 'code' | 'pdf' | 'plain';
export type PreviewKind = 'image' | 'video' | 'audio' | 'pdf' | 'markdown' | 'code' | 'text';

export interface FileKind {
  readonly icon: IconName;
  readonly colour: KindColour;
  readonly preview: PreviewKind | undefined;
}

const FOLDER: FileKind = { icon: 'folder', colour: 'folder', preview: undefined };
const PLAIN: FileKind = { icon: 'file', colour: 'plain', preview: undefined };
const KINDS = {
  image: { icon: 'image', colour: 'image', preview: 'image' },
  picture: { icon: 'image', colour: 'image', preview: undefined },
  video: { icon: 'video', colour: 'media', preview: 'video' },
  audio: { icon: 'audio', colour: 'media', preview: 'audio' },
  pdf: { icon: 'pdf', colour: 'pdf', preview: 'pdf' },
  markdown: { icon: 'document', colour: 'document', preview: 'markdown' },
  text: { icon: 'document', colour: 'document', preview: 'text' },
  code: { icon: 'code', colour: 'code', preview: 'code' },
  archive: { icon: 'archive', colour: 'archive', preview: undefined },
  office: { icon: 'document', colour: 'document', preview: undefined },
} as const satisfies Readonly<Record<string, FileKind>>;

const ENDINGS: Readonly<Record<keyof typeof KINDS, string>> = {
  image: 'jpg jpeg png gif webp avif bmp ico apng',
  picture: 'heic heif tif tiff psd svg raw cr2 nef',
  video: 'mp4 m4v webm mov ogv',
  audio: 'mp3 m4a aac ogg oga opus wav flac',
  pdf: 'pdf',
  markdown: 'md markdown mdown',
  text: 'txt log csv tsv srt vtt rst tex org nfo',
  code: 'js mjs cjs ts tsx jsx json json5 py rb go rs c h cc cpp hpp cs java kt swift php sh bash '
    + 'zsh fish ps1 bat lua pl r sql html htm css scss less xml yml yaml toml ini conf env '
    + 'diff patch vue svelte dart ex exs hs clj scala gradle cmake makefile dockerfile',
  archive: 'zip tar gz tgz bz2 xz zst 7z rar jar deb rpm iso dmg',
  office: 'doc docx odt rtf xls xlsx ods ppt pptx odp pages numbers key epub',
};

const BY_ENDING = new Map<string, FileKind>(
  (Object.keys(ENDINGS) as (keyof typeof KINDS)[]).flatMap((kind) => {
    return ENDINGS[kind].split(' ').map((ending): [string, FileKind] => [ending, KINDS[kind]]);
  }),
);

export function kindOf(
  { kind, name, mediaType }: Pick<FileNode, 'kind' | 'name' | 'mediaType'>,
): FileKind {
  if (kind === 'folder') return FOLDER;
  const known = BY_ENDING.get(endingOf(name));
  if (known !== undefined) return known;
  return mediaType?.startsWith('text/') === true ? KINDS.text : PLAIN;
}

/** Behind the last dot; the whole name where there is none. */
export function endingOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase();
}
