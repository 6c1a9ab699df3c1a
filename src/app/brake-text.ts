/** The mail to administrators about a device that is held back. Pure. */
import { oneLine } from '../mail/index.ts';
import type { QuarantineRecord } from '../metadata/index.ts';

export function brakeText(
  { id, user, device }: Pick<QuarantineRecord, 'id' | 'user' | 'device'>,
): { subject: string; text: string; html: string } {
  const subject = oneLine(`A device of ${user} deletes or overwrites very much`);
  const paragraphs = [
    `The device “${oneLine(device)}” of ${user} has deleted or overwritten more files within a `
      + 'short time than is usual. That may be meant so. It may also be a mistake, or malware.',
    'What it has deleted and overwritten since is held: the device sees it done, and everybody '
      + 'else still has the files. Nothing is lost, and nobody has to hurry.',
    'The owner of the files and every administrator can decide on the start page of the server. '
      + 'On the server itself:',
    `To look at it:  holdfast brake show ${id}`,
    `If it is meant so:  holdfast brake keep ${id} --yes`,
    `If not:  holdfast brake undo ${id} --yes`,
  ];
  const html = paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`).join('\n');
  return { subject, text: `${paragraphs.join('\n\n')}\n`, html };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
