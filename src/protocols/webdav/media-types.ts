/** Media types by the ending of a name: what clients use to choose an icon or a program. */

const TYPES: Readonly<Record<string, string>> = {
  'application/epub+zip': 'epub',
  'application/gzip': 'gz tgz',
  'application/json': 'json',
  'application/msword': 'doc',
  'application/pdf': 'pdf',
  'application/rtf': 'rtf',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.ms-powerpoint': 'ppt',
  'application/vnd.oasis.opendocument.presentation': 'odp',
  'application/vnd.oasis.opendocument.spreadsheet': 'ods',
  'application/vnd.oasis.opendocument.text': 'odt',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/x-7z-compressed': '7z',
  'application/x-bzip2': 'bz2',
  'application/x-rar-compressed': 'rar',
  'application/x-tar': 'tar',
  'application/x-xz': 'xz',
  'application/xml': 'xml',
  'application/zip': 'zip',
  'audio/aac': 'aac',
  'audio/flac': 'flac',
  'audio/mp4': 'm4a',
  'audio/mpeg': 'mp3',
  'audio/ogg': 'ogg oga opus',
  'audio/wav': 'wav',
  'image/avif': 'avif',
  'image/bmp': 'bmp',
  'image/gif': 'gif',
  'image/heic': 'heic heif',
  'image/jpeg': 'jpg jpeg jpe',
  'image/png': 'png',
  'image/svg+xml': 'svg',
  'image/tiff': 'tif tiff',
  'image/webp': 'webp',
  'text/calendar': 'ics',
  'text/css': 'css',
  'text/csv': 'csv',
  'text/html': 'html htm',
  'text/javascript': 'js mjs',
  'text/markdown': 'md markdown',
  'text/plain': 'txt text log ini conf',
  'text/vcard': 'vcf',
  'video/mp4': 'mp4 m4v',
  'video/mpeg': 'mpg mpeg',
  'video/quicktime': 'mov',
  'video/webm': 'webm',
  'video/x-matroska': 'mkv',
  'video/x-msvideo': 'avi',
};

const TYPE_OF = new Map<string, string>(
  Object.entries(TYPES).flatMap(([type, endings]) =>
    endings.split(' ').map((ending): [string, string] => [ending, type])),
);

const UNKNOWN = 'application/octet-stream';
const ENDING_CHARACTERS_MAX = 8;

export function mediaTypeOf(name: string): string {
  const dot = name.lastIndexOf('.');
  if (dot < 0 || name.length - dot - 1 > ENDING_CHARACTERS_MAX) return UNKNOWN;
  const ending = name.slice(dot + 1);
  return TYPE_OF.get(ending) ?? TYPE_OF.get(ending.toLowerCase()) ?? UNKNOWN;
}
