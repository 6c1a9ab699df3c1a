/** Text on its way into XML. Every character is safe here, also those that XML cannot carry. */

 
const SPECIAL = /[&<>"\0-\x1f\ufffe\uffff\ud800-\udfff]/;
 
const TO_ESCAPE = /[&<>"\0-\x08\x0b-\x1f\ufffe\uffff]/g;

const ENTITY: Readonly<Record<string, string>> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;',
};

/** For text between tags. XML 1.0 has no spelling for most control characters and for unpaired
 *  surrogates: those become U+FFFD. */
export function escapeText(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.toWellFormed().replace(TO_ESCAPE, (found) => ENTITY[found] ?? '\ufffd');
}

/** For a value between double quotes. Blanks other than spaces would be read as spaces. */
export function escapeAttribute(text: string): string {
  return escapeText(text).replace(/[\t\n]/g, (found) => (found === '\t' ? '&#9;' : '&#10;'));
}
