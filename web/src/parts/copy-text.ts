/** Puts a text where it can be pasted from. False: the browser does not let this page do it. */
export async function copyText(text: string): Promise<boolean> {
  // Browsers offer the clipboard to pages that came encrypted, or from the same machine.
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }
  return copyBySelection(text);
}

/** An old way, and the only one for a page that came by plain HTTP. */
function copyBySelection(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hf-hidden';
  field.readOnly = true;
  // A window over the page takes the focus back from whatever lies outside of it.
  (focused?.closest('[role=dialog]') ?? document.body).append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}
