/** Small drawings of the pages about links: on a grid of 24, all with one stroke. They are written
 *  once into a page and used by name, so that a long folder stays small. */
import { mediaTypeOf } from '../webdav/media-types.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';

const DRAWINGS = {
  alert: 'M12 8.5v4.5M12 16.5v.01M10.4 4.2 2.8 17.5A1.8 1.8 0 0 0 4.4 20.2h15.2a1.8 1.8 0 0 0'
    + ' 1.6-2.7L13.6 4.2a1.85 1.85 0 0 0-3.2 0Z',
  archive: 'M6 3.5h12a1.5 1.5 0 0 1 1.5 1.5v14a1.5 1.5 0 0 1-1.5 1.5H6A1.5 1.5 0 0 1 4.5 19V5A1.5'
    + ' 1.5 0 0 1 6 3.5ZM12 3.5v2M10.5 7h3M10.5 10h3M10.8 13h2.4v3.5h-2.4Z',
  audio: 'M9 17.5V6l10-2v11.5M9 17.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0ZM19 15.5a2.5 2.5 0 1 1-5'
    + ' 0 2.5 2.5 0 0 1 5 0Z',
  check: 'M5 12.5 10 17.5 19.5 7',
  chevronRight: 'M9.5 6l6 6-6 6',
  code: 'M8.5 8 4.5 12l4 4M15.5 8l4 4-4 4',
  document: 'M13.5 3.5H7A1.5 1.5 0 0 0 5.5 5v14A1.5 1.5 0 0 0 7 20.5h10a1.5 1.5 0 0 0 1.5-1.5V8.5Z'
    + 'M13.5 3.5v5h5M8.5 12.5h7M8.5 16h5',
  download: 'M12 4v11M7 10.5l5 5 5-5M4.5 19.5h15',
  file: 'M13.5 3.5H7A1.5 1.5 0 0 0 5.5 5v14A1.5 1.5 0 0 0 7 20.5h10a1.5 1.5 0 0 0 1.5-1.5V8.5Z'
    + 'M13.5 3.5v5h5',
  folder: 'M3.5 7A1.5 1.5 0 0 1 5 5.5h4.2l2.3 2.5H19a1.5 1.5 0 0 1 1.5 1.5V17a1.5 1.5 0 0 1-1.5'
    + ' 1.5H5A1.5 1.5 0 0 1 3.5 17Z',
  image: 'M5 4.5h14A1.5 1.5 0 0 1 20.5 6v12a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 18V6A1.5 1.5'
    + ' 0 0 1 5 4.5ZM3.8 17.5l4.7-4.7a1.4 1.4 0 0 1 2 0l5.5 5.7M13.5 15.5l1.7-1.7a1.4 1.4 0 0 1'
    + ' 2 0l3 3M15 9.5a1 1 0 1 1-2 0 1 1 0 0 1 2 0Z',
  link: 'M10 14a4 4 0 0 0 5.8.2l3-3a4 4 0 0 0-5.7-5.7l-1.4 1.4M14 10a4 4 0 0 0-5.8-.2l-3 3a4 4 0'
    + ' 0 0 5.7 5.7l1.4-1.4',
  lock: 'M7 10.5h10a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5H7A1.5 1.5 0 0 1 5.5 19v-7A1.5'
    + ' 1.5 0 0 1 7 10.5ZM8.5 10.5V7.5a3.5 3.5 0 0 1 7 0v3',
  pdf: 'M13.5 3.5H7A1.5 1.5 0 0 0 5.5 5v14A1.5 1.5 0 0 0 7 20.5h10a1.5 1.5 0 0 0 1.5-1.5V8.5Z'
    + 'M13.5 3.5v5h5M8.7 17.5c3-1.5 4-4 3.7-6.5.8 3 2 4.3 3.6 4.7-2.5-.3-5 .3-7.3 1.8Z',
  upload: 'M12 15.5V4.5M7 9l5-5 5 5M4.5 19.5h15',
  video: 'M5 6.5h9A1.5 1.5 0 0 1 15.5 8v8a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 16V8A1.5 1.5 0'
    + ' 0 1 5 6.5ZM15.5 11l5-3v8l-5-3',
  wait: 'M20.5 12a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0ZM12 7.5V12l3 2',
} as const;

export type IconName = keyof typeof DRAWINGS;

/** Stands at the beginning of a page that has icons. */
export const SPRITE: Html = html`<svg class="sprite" aria-hidden="true">${
  Object.entries(DRAWINGS).map(([name, drawing]) => html`<symbol id="i-${name}" viewBox="0 0 24 24">
<path d="${drawing}"/></symbol>`)}</svg>`;

export function icon(name: IconName, kind: string = name): Html {
  return html`<svg class="icon kind-${kind}" aria-hidden="true"><use href="#i-${name}"/></svg>`;
}

/** That of a file or folder, in its colour. */
export function iconOf({ kind, name }: { kind: string; name: string }): Html {
  return icon(kind === 'folder' ? 'folder' : iconNameOf(mediaTypeOf(name)));
}

function iconNameOf(mediaType: string): IconName {
  const [group = ''] = mediaType.split('/');
  if (group === 'image' || group === 'video' || group === 'audio') return group;
  if (mediaType === 'application/pdf') return 'pdf';
  if (/json|xml|javascript|css|html/.test(mediaType)
    && !/document|officedocument/.test(mediaType)) return 'code';
  if (/zip|gzip|tar|7z|rar|bzip2|-xz/.test(mediaType)) return 'archive';
  return group === 'text' || /document|word|excel|powerpoint|rtf/.test(mediaType)
    ? 'document' : 'file';
}
